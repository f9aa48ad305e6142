import { KEY_LENGTH, parseIpAddress, publicKeyFromBytes } from '@warren/base';
import type { SelfConfig } from '@warren/proto';
import type { SelfDescription } from './domain.js';
import { roleFromWire } from './role.js';
import { decodeSignalServers } from './signal-servers.js';

/** IPv6 needs 1280 (RFC 8200 §5); a field left out is 0. */
const MIN_MTU = 1280;
const MAX_MTU = 65_535;
const DEFAULT_MTU = 1400;

/** Addresses that are none are left out; a missing or absurd MTU is the default. */
export function decodeSelf(self: SelfConfig): SelfDescription {
  return {
    name: self.name,
    role: roleFromWire(self.role) ?? 'client',
    addresses: self.addresses.map(parseIpAddress).filter((address) => address !== undefined),
    networkName: self.networkName,
    cidrs: self.cidrs,
    mtu: self.mtu >= MIN_MTU && self.mtu <= MAX_MTU ? self.mtu : DEFAULT_MTU,
    forward: self.forward,
    offlineToleranceMs: self.offlineToleranceMs,
    signalServers: decodeSignalServers(self.signalServers),
    previousKey:
      self.previousWireguardKey.length === KEY_LENGTH ? publicKeyFromBytes(self.previousWireguardKey) : undefined,
    pending: self.pending,
    keyExpiresAt: self.keyExpiresAtMs === 0 ? undefined : self.keyExpiresAtMs,
    keyWarningMs: self.keyWarningMs,
    rotateGeneration: self.rotateGeneration,
    keyRotationMs: self.keyRotationMs,
  };
}
