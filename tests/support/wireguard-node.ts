import type { PublicKey } from '@warren/base';
import type { Host } from '@warren/netlab';

/** One WireGuard interface of a test, in plain text: the same for ours and for other implementations. */
export interface WireGuardConfig {
  readonly interfaceName: string;
  /** Base64. */
  readonly privateKey: string;
  readonly listenPort: number;
  readonly mtu: number;
  readonly addresses: readonly string[];
  readonly peers: readonly WireGuardPeer[];
}

export interface WireGuardPeer {
  readonly publicKey: PublicKey;
  /** Base64. */
  readonly presharedKey?: string;
  readonly allowedIps: readonly string[];
  readonly endpoint?: string;
  readonly persistentKeepalive?: number;
}

/** A running interface on a host of the lab, whoever implements it. */
export interface WireGuardNode {
  readonly host: Host;
  /** `warren` or `wireguard-go`. */
  readonly implementation: string;
  /** Time of the last handshake with its first peer, seconds since 1970; 0: none yet. */
  lastHandshake(): Promise<number>;
  stop(): Promise<void>;
}

/** Polls until the condition holds. @throws Error saying `what` was waited for, at the deadline. */
export async function waitFor(what: string, condition: () => Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
