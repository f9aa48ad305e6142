import { SecretKey } from '@warren/base';
import type { DeviceChange, DeviceSettings } from './device-settings-api.js';
import type { WorkerDeviceChange, WorkerDeviceSettings } from './worker-messages.js';

/**
 * A change as the worker is told of it. Keys go as copies whose buffers are added to `transfer`, so that posting the
 * message leaves nothing of them in this thread.
 */
export function encodeDeviceChange(change: DeviceChange, transfer: ArrayBuffer[]): WorkerDeviceChange {
  const bytesOf = (key: SecretKey | undefined): Uint8Array | undefined => {
    if (!key) return undefined;
    const bytes = Uint8Array.from(key.expose());
    transfer.push(bytes.buffer);
    return bytes;
  };
  return {
    ...change,
    privateKey: bytesOf(change.privateKey),
    peers: change.peers.map((peer) => ({ ...peer, presharedKey: bytesOf(peer.presharedKey) })),
  };
}

/** The worker's answer with keys that hide themselves; the bytes in it are wiped. */
export function decodeDeviceSettings(settings: WorkerDeviceSettings): DeviceSettings {
  return {
    ...settings,
    privateKey: takeKey(settings.privateKey),
    peers: settings.peers.map((peer) => ({ ...peer, presharedKey: takeKey(peer.presharedKey) })),
  };
}

function takeKey(bytes: Uint8Array | undefined): SecretKey | undefined {
  const key = bytes && new SecretKey(bytes);
  bytes?.fill(0);
  return key;
}
