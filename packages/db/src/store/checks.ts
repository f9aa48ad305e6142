import { type NetworkId, type NodeId, WarrenError } from '@warren/base';
import { NODE_NAME_RULE, parseNodeName } from '@warren/topology';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Ids are looked up only when they are UUIDs: PostgreSQL calls anything else an error, and it is none. */
export const isUuid = (text: string): boolean => UUID.test(text);

/** Networks follow the rule of nodes: both become labels of host names. @throws WarrenError `bad-request`. */
export function checkName(of: 'network' | 'node', name: string): void {
  if (parseNodeName(name) !== undefined) return;
  throw badRequest(`${JSON.stringify(name.slice(0, 80))} is no name for a ${of}: ${NODE_NAME_RULE}`);
}

/** @throws WarrenError `bad-request`. */
export function checkMtu(mtu: number): void {
  // RFC 8200 §5: IPv6 needs 1280.
  if (Number.isInteger(mtu) && mtu >= 1280 && mtu <= 9000) return;
  throw badRequest(`the MTU must be 1280 to 9000, not ${mtu}`);
}

/** @throws WarrenError `bad-request`. */
export function checkListenPort(port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return;
  throw badRequest(`the listen port must be 0 to 65535, not ${port}`);
}

/** Refuses input; the message says what is wrong with it and what would be right. */
export const badRequest = (message: string): WarrenError => new WarrenError('bad-request', message);

/** Refuses a network that is not there. */
export const networkNotFound = (id: NetworkId | string): WarrenError =>
  new WarrenError('not-found', `there is no network ${id}: list them with \`warren network list\``);

/** Refuses a node that is not there. */
export const nodeNotFound = (id: NodeId | string): WarrenError =>
  new WarrenError('not-found', `there is no node ${id}: list them with \`warren node list\``);

/** Refuses a name that another network, or another node of the network, has. */
export const nameTaken = (of: 'network' | 'node', name: string): WarrenError =>
  new WarrenError('name-taken', `the name "${name}" is in use by another ${of}: choose another name`);
