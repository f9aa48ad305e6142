import type { IpAddress } from '@warren/base';
import type { Gateway } from './gateway.js';

export type MappingProtocolName = 'pcp' | 'nat-pmp' | 'upnp';

export interface WantedMapping {
  /** UDP port on this host. */
  readonly internalPort: number;
  /** Suggested outer port: that of before, else the inner one. */
  readonly externalPort: number;
  readonly lifetimeS: number;
}

export interface GrantedMapping {
  readonly address: IpAddress;
  readonly port: number;
  /** Seconds; 0: until it is removed. */
  readonly lifetimeS: number;
}

/** Granted; or why not, in a few words; undefined: the gateway does not speak this protocol. */
export type MappingAnswer = GrantedMapping | { readonly refused: string } | undefined;

/** One way to ask a gateway for a mapping. Calls never reject for what a gateway does or does not say. */
export interface MappingProtocol {
  readonly name: MappingProtocolName;
  /** Also renews: the same wish again. */
  request(gateway: Gateway, wanted: WantedMapping, signal: AbortSignal): Promise<MappingAnswer>;
  /** Ends the mapping, as well as that can be done in `signal`'s time. */
  release(gateway: Gateway, wanted: WantedMapping, signal: AbortSignal): Promise<void>;
}
