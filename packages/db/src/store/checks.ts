import { type NetworkId, type NodeId, WarrenError } from '@warren/base';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** RFC 1035 §2.3.1 with leading digits (RFC 1123 §2.1): names become DNS names. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

export const isUuid = (text: string): boolean => UUID.test(text);

/** @throws WarrenError `bad-request`. */
export function checkName(of: 'network' | 'node', name: string): void {
  if (LABEL.test(name)) return;
  throw badRequest(
    `${JSON.stringify(name.slice(0, 80))} is no name for a ${of}: use letters, digits and inner hyphens, at most 63`,
  );
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

export const badRequest = (message: string): WarrenError => new WarrenError('bad-request', message);

export const networkNotFound = (id: NetworkId | string): WarrenError =>
  new WarrenError('not-found', `there is no network ${id}: list them with \`warren network list\``);

export const nodeNotFound = (id: NodeId | string): WarrenError =>
  new WarrenError('not-found', `there is no node ${id}: list them with \`warren node list\``);

export const nameTaken = (of: 'network' | 'node', name: string): WarrenError =>
  new WarrenError('name-taken', `the name "${name}" is in use by another ${of}: choose another name`);
