import { parseHostPort, parsePublicKey } from '@warren/base';
import { NODE_NAME_RULE, parseNodeName } from '@warren/topology';
import { splitTags, tagsFault } from '../../shell/join/token-fields.js';
import type { DeviceRequest } from './device.js';

/** What the form for a device holds: texts as they are typed. */
export interface DeviceFields {
  readonly name: string;
  readonly role: DeviceRequest['role'];
  readonly endpoint: string;
  readonly tags: string;
  readonly key: 'here' | 'own';
  /** With `own`. */
  readonly publicKey: string;
}

export const NEW_DEVICE: DeviceFields = {
  name: '',
  role: 'client',
  endpoint: '',
  tags: '',
  key: 'here',
  publicKey: '',
};

export type DeviceFaults = Partial<Record<keyof DeviceFields, string>>;

/** What has to be mended before the device can be made; empty: nothing. */
export function deviceFaults({ name, role, endpoint, tags, key, publicKey }: DeviceFields): DeviceFaults {
  const wrongTags = tagsFault(tags);
  return {
    ...(!parseNodeName(name.trim()) && { name: NODE_NAME_RULE }),
    ...(role !== 'client' && !parseHostPort(endpoint.trim()) && { endpoint: 'host:port, such as 203.0.113.5:51820' }),
    ...(wrongTags && { tags: wrongTags }),
    ...(key === 'own' &&
      !parsePublicKey(publicKey.trim()) && { publicKey: 'the base64 of 32 bytes, as “wg pubkey” prints it' }),
  };
}

/** @param publicKey that was made here or typed. */
export const deviceRequest = (network: string, fields: DeviceFields, publicKey: string): DeviceRequest => ({
  network,
  name: fields.name.trim(),
  role: fields.role,
  publicKey,
  ...(fields.role !== 'client' && { endpoint: fields.endpoint.trim() }),
  tags: splitTags(fields.tags),
});
