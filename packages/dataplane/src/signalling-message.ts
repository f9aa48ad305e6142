import { KEY_LENGTH, parseEndpoint, parseHostPort, WarrenError } from '@warren/base';
import type { SignallingChange, SignallingOptions } from './data-plane-api.js';
import type { WorkerSignalling } from './worker-messages.js';

const RELAY_ID_LENGTH = 8;

/** Options as the worker is told of them; the key goes as a copy whose buffer is added to `transfer`. */
export function encodeSignalling(options: SignallingOptions, transfer: ArrayBuffer[]): WorkerSignalling {
  const { relayId, predictPorts, tls } = options;
  const pathKey = Uint8Array.from(options.pathKey.expose());
  transfer.push(pathKey.buffer);
  return { relayId, predictPorts, pathKey, ...(tls && { tls }) };
}

/** @throws WarrenError `bad-signalling`. */
export function checkSignallingOptions({ relayId }: SignallingOptions): void {
  if (relayId.length !== RELAY_ID_LENGTH) refuse(`a relay id has ${RELAY_ID_LENGTH} bytes, not ${relayId.length}`);
}

/** @throws WarrenError `bad-signalling`: types can be lied to, and the worker trusts what it is told. */
export function checkSignalling({ servers, mapped }: SignallingChange): void {
  for (const { id, udp, tls, key } of servers ?? []) {
    const bad = [...(udp === undefined ? [] : [udp]), ...tls].find((address) => !parseHostPort(address));
    if (bad !== undefined) refuse(`signal server ${id}: ${JSON.stringify(bad)} is no host:port`);
    if (key.length !== KEY_LENGTH) refuse(`signal server ${id}: its key has ${key.length} bytes, not ${KEY_LENGTH}`);
  }
  const bad = mapped?.find((endpoint) => !parseEndpoint(endpoint));
  if (bad !== undefined) refuse(`${JSON.stringify(bad)} is no address:port`);
}

function refuse(problem: string): never {
  throw new WarrenError('bad-signalling', problem);
}
