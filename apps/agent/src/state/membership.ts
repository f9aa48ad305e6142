import { type HostPort, type NetworkId, type NodeId, networkId, nodeId, WarrenError } from '@warren/base';
import { readJsonIfThere, writeFileAtomically } from './atomic-file.js';

/** What a join decided and what does not change by itself afterwards. */
export interface Membership {
  readonly networkId: NetworkId;
  readonly networkName: string;
  readonly nodeId: NodeId;
  readonly name: string;
  /** Token that was spent: repeating the join with it is known to be a repetition. */
  readonly tokenId: string;
  readonly control: {
    /** TLS addresses, tried in order. */
    readonly addresses: readonly HostPort[];
    /** The pinned root certificate, DER in base64. */
    readonly root: string;
  };
  /** Ed25519 public key that signs tombstones, base64. */
  readonly authorityKey: string;
  readonly interfaceName: string;
  readonly listenPort: number;
  /** `--listen-port 0`: when the port is taken at a later start, any other will do. */
  readonly anyPort: boolean;
  /** `--mtu`, which beats the network's. */
  readonly mtu?: number;
  /** `--no-port-prediction`: false. */
  readonly predictPorts?: boolean;
  /** RFC 3339. */
  readonly joinedAt: string;
}

export async function saveMembership(path: string, membership: Membership): Promise<void> {
  await writeFileAtomically(path, `${JSON.stringify({ version: 1, ...membership }, undefined, 2)}\n`);
}

/** @returns undefined when there is none. @throws WarrenError `state-damaged` when the file is no membership. */
export async function loadMembership(path: string): Promise<Membership | undefined> {
  const file = await readJsonIfThere(path);
  if (!file) return undefined;
  const control = file.control as Membership['control'] | undefined;
  const texts = ['networkId', 'networkName', 'nodeId', 'name', 'authorityKey', 'interfaceName', 'joinedAt'];
  const complete =
    texts.every((name) => typeof file[name] === 'string') &&
    Number.isInteger(file.listenPort) &&
    typeof control?.root === 'string' &&
    Array.isArray(control.addresses);
  if (!complete) {
    throw new WarrenError('state-damaged', `${path} is damaged: restore it from a backup, or remove it and join again`);
  }
  const membership = file as unknown as Membership;
  return { ...membership, networkId: networkId(membership.networkId), nodeId: nodeId(membership.nodeId) };
}
