export {
  after,
  type Brand,
  elapsed,
  type Instant,
  instant,
  type Millis,
  millis,
  type NetworkId,
  type NodeId,
  networkId,
  nodeId,
  type UnixMillis,
  unixMillis,
} from './brand.js';
export {
  concatBytes,
  equalBytes,
  fromBase64,
  fromBase64Url,
  fromHex,
  toBase64,
  toBase64Url,
  toHex,
} from './bytes.js';
export { type Drop, drop, isDrop } from './drop.js';
export {
  type Endpoint,
  formatEndpoint,
  formatHostPort,
  type HostPort,
  parseEndpoint,
  parseHostPort,
} from './endpoint.js';
export { InvariantError, invariant, WarrenError } from './error.js';
export {
  addressBits,
  hostPrefix,
  type IpAddress,
  type IpFamily,
  ipFamily,
  ipFromBytes,
  ipToBytes,
  makePrefix,
  type Prefix,
  parseIpAddress,
  parsePrefix,
  prefixAddress,
  prefixContains,
  prefixesOverlap,
  prefixLength,
} from './ip.js';
export { KEY_LENGTH, type PublicKey, parsePublicKey, publicKeyBytes, publicKeyFromBytes, SecretKey } from './keys.js';
