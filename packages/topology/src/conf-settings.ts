/**
 * What a wg-quick file holds besides keys, addresses and peers: set for a network, and over that for one node. Absent: as
 * the network has it, else left out of the file. Commands are only rendered, never run by us.
 */
export interface ConfSettings {
  /** Addresses of resolvers and search domains. */
  readonly dns?: readonly string[];
  /** `off`, `auto` or a number. */
  readonly table?: string;
  /** 1280 to 9000. */
  readonly mtu?: number;
  /** 1 to 65535; nodes only. */
  readonly listenPort?: number;
  /** 0 to 2^32 − 1; 0: off. */
  readonly fwMark?: number;
  readonly saveConfig?: boolean;
  /** Shell commands, in order; `%i` is the interface. */
  readonly preUp?: readonly string[];
  readonly postUp?: readonly string[];
  readonly preDown?: readonly string[];
  readonly postDown?: readonly string[];
  /** Seconds, 1 to 65535; 0: off. Towards whoever has an endpoint; absent: 25 for clients, off for others. */
  readonly persistentKeepalive?: number;
  /** A shell command that prints the private key: the file then sets it in PostUp and has no PrivateKey (ADR 0013). */
  readonly privateKeyCommand?: string;
}
