import { type NodeId, publicKeyFromBytes, WarrenError } from '@warren/base';
import type { NodeRow } from '@warren/db';
import {
  completePeersConf,
  type DecidedNetwork,
  decideNetwork,
  filePeersOf,
  renderNetworkPeersConf,
  renderPeersConf,
  renderWg0Conf,
  wg0ConfOptions,
} from '@warren/topology';
import type { Version } from '../hub/version.js';
import { etagOf } from './preconditions.js';

/** A rendered file and its entity tag. */
export interface ConfFile {
  readonly body: string;
  readonly etag: string;
}

export type NodeFileKind = 'wg0' | 'peers';

/** Files of one version of a network: however many wait for a file, it is rendered once. */
const rendered = new WeakMap<Version, Map<string, ConfFile>>();

/** A file for every client of the network. */
export const networkFile = (version: Version): ConfFile =>
  once(version, 'network', () =>
    completePeersConf(renderNetworkPeersConf(version.decided.network, version.decided.facts)),
  );

/** The file of an active node; undefined: the network's members do not have it. */
export function activeNodeFile(version: Version, kind: NodeFileKind, id: NodeId): ConfFile | undefined {
  if (!version.decided.network.nodes.has(id)) return undefined;
  return once(version, `${kind} ${id}`, () => render(version.decided, kind, id));
}

/**
 * The file of a node that waits for its key or for approval, as it will be then.
 * @throws WarrenError `node-not-active` for one that does not wait for that.
 */
export function waitingNodeFile({ decided }: Version, kind: NodeFileKind, row: NodeRow | undefined): ConfFile {
  if (!row) throw notActive('was deleted');
  if (row.disabledAt) throw notActive('is disabled; `warren node approve` brings it back');
  if (row.status !== 'pending') throw notActive(row.status === 'revoked' ? 'was revoked' : 'has expired');
  // Its own key is not in its own file.
  const node = { ...row, publicKey: row.publicKey ?? NO_KEY };
  const { network } = decided;
  const nodes = new Map(network.nodes).set(row.id, node);
  return fileOf(render(decideNetwork({ ...network, nodes }), kind, row.id));
}

const NO_KEY = publicKeyFromBytes(new Uint8Array(32));

function render(decided: DecidedNetwork, kind: NodeFileKind, id: NodeId): string {
  const { network } = decided;
  const node = network.nodes.get(id)!;
  const peers = filePeersOf(decided, id);
  return kind === 'wg0'
    ? renderWg0Conf(node, peers, wg0ConfOptions(network, node))
    : completePeersConf(renderPeersConf(peers));
}

function once(version: Version, name: string, make: () => string): ConfFile {
  const files = rendered.get(version) ?? new Map<string, ConfFile>();
  rendered.set(version, files);
  const file = files.get(name) ?? fileOf(make());
  files.set(name, file);
  return file;
}

const fileOf = (body: string): ConfFile => ({ body, etag: etagOf(body) });

const notActive = (what: string): WarrenError =>
  new WarrenError('node-not-active', `only an active node has a configuration: this one ${what}`);
