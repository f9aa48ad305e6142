import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentNode } from '@warren/netlab';
import { Snapshot } from '@warren/proto';

/** What a thief of an agent's state directory has in hand; keys and ticket in hex. */
export interface StolenState {
  readonly nodeId: string;
  readonly networkId: string;
  readonly pathKey: string;
  readonly ticket: string;
  readonly servers: readonly { readonly name: string; readonly udp: string; readonly key: string }[];
}

/** Reads keys, ticket and signal servers out of a state directory. */
export function readAgentState(agent: AgentNode): StolenState {
  const networks = join(agent.host.stateDir, 'networks');
  const [networkId] = readdirSync(networks);
  const file = (name: string): Buffer => readFileSync(join(networks, networkId!, name));
  const keys = JSON.parse(file('keys.json').toString()) as { nodeId: string; path: string };
  const { self } = Snapshot.decode(file('last-known.bin'));
  return {
    nodeId: keys.nodeId,
    networkId: networkId!,
    pathKey: Buffer.from(keys.path, 'base64').toString('hex'),
    ticket: file('ticket.bin').toString('hex'),
    servers: (self?.signalServers ?? []).map(({ name, udp, key }) => ({
      name,
      udp,
      key: Buffer.from(key).toString('hex'),
    })),
  };
}
