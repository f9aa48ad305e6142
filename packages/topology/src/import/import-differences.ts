import { addressBits, type NodeId, type Prefix, type PublicKey, prefixLength } from '@warren/base';
import { decide } from '../decide.js';
import type { Facts, Network, Peer } from '../model.js';
import { peersOf } from '../peer-map.js';
import { holds } from './import-cidrs.js';
import type { ImportSource, Mention } from './import-members.js';
import type { ImportReport } from './import-plan.js';

/** A file and the node that it became. */
export interface ImportedFile {
  readonly id: NodeId;
  readonly source: ImportSource;
}

/**
 * Says where the files that the network will give differ from those that came: the network is compiled as it will be, and
 * each file compared with what its node gets.
 */
export function reportDifferences(network: Network, files: readonly ImportedFile[], report: ImportReport): void {
  const facts = decide(network);
  const byKey = new Map([...network.nodes.values()].map((node) => [node.publicKey, node.id]));
  for (const { id, source } of files) {
    const peers = peersOf(network, facts, id);
    const listed = mentionsByNode(source, byKey);
    for (const peer of peers.values()) {
      const mention = listed.get(peer.id);
      if (mention) compare(peer, mention, network, report);
      else if (peer.allowedIps.length > 0) {
        report.add('completed', `the file did not list ${peer.name}: it does now`, source.file);
      }
    }
  }
  reportBounces(network, facts, report);
}

function mentionsByNode(source: ImportSource, byKey: ReadonlyMap<PublicKey, NodeId>): Map<NodeId, Mention> {
  const mentions = source.conf.peers.map((peer, index): [NodeId | undefined, Mention] => [
    byKey.get(peer.publicKey),
    { source, peer, line: source.annotations.peers[index]!.line },
  ]);
  return new Map(mentions.flatMap(([id, mention]) => (id === undefined ? [] : [[id, mention] as const])));
}

function compare(peer: Peer, { source, peer: was, line }: Mention, network: Network, report: ImportReport): void {
  const say = (level: 'completed' | 'not-carried-over', message: string): void =>
    report.add(level, message, source.file, line);
  if (peer.allowedIps.length === 0) {
    const way =
      peer.via === undefined ? 'as soon as there is a bounce' : `by way of ${network.nodes.get(peer.via)?.name}`;
    say('not-carried-over', `${peer.name} is no peer of this host any more: it is reached ${way}`);
    return;
  }
  for (const prefix of was.allowedIps) {
    const reason = notCarried(prefix, peer, network);
    if (reason !== undefined) say('not-carried-over', `AllowedIPs ${prefix} of ${peer.name}: ${reason}`);
  }
  const missing = peer.allowedIps.filter((prefix) => !was.allowedIps.some((given) => holds(given, prefix)));
  if (missing.length > 0) say('completed', `AllowedIPs ${missing.join(', ')} of ${peer.name}`);
}

/** Why a prefix is not in the peer's AllowedIPs; undefined when it is, or when all of it is elsewhere in the network. */
function notCarried(prefix: Prefix, peer: Peer, { cidrs, nodes }: Network): string | undefined {
  if (peer.allowedIps.some((ours) => holds(ours, prefix))) return undefined;
  if (prefixLength(prefix) === 0) return 'exit nodes come later; the network itself is reached';
  if (!cidrs.some((cidr) => holds(cidr, prefix))) {
    return cidrs.some((cidr) => holds(prefix, cidr))
      ? 'it holds more than the network; the network itself is reached'
      : 'subnet routes come later';
  }
  const owner = [...nodes.values()].find((node) =>
    holds(prefix, `${node.addresses[0]}/${addressBits(prefix)}` as Prefix),
  );
  if (prefixLength(prefix) === addressBits(prefix)) {
    return owner ? `it is ${owner.name}'s, which is reached otherwise` : 'no node has it';
  }
  return 'it is a part of the network: who is in it is reached as its role says';
}

function reportBounces(network: Network, facts: Facts, report: ImportReport): void {
  const bounces = [...facts.homed.keys()].map((id) => network.nodes.get(id)!.name).sort();
  if (bounces.length < 2) return;
  const message = `${bounces.join(', ')} all relay: which of them relays for whom is the control plane's choice from now on`;
  report.add('not-carried-over', message);
}
