import { type PublicKey, publicKeyBytes, SecretKey } from '@warren/base';
import type { CryptoProvider } from '@warren/crypto';
import { CookieChecker, CookieGenerator } from './handshake/cookie.js';
import type { RemoteKeys, StaticKeys } from './handshake/noise.js';

/** A static key of ours; two at once while one replaces the other (ADR 0026). */
export class LocalStatic implements StaticKeys {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly cookies: CookieChecker;

  constructor(crypto: CryptoProvider, random: (length: number) => Uint8Array, privateKey: SecretKey) {
    // A copy: closing the device erases ours, the caller's stays.
    this.privateKey = new SecretKey(privateKey.expose()).expose();
    this.publicKey = crypto.publicKey(this.privateKey);
    this.cookies = new CookieChecker(crypto, random, this.publicKey);
  }

  erase(): void {
    this.privateKey.fill(0);
    this.cookies.erase();
  }
}

/** Our static keys. */
export interface LocalStatics {
  /** Those that initiations to us may be for. */
  readonly locals: readonly LocalStatic[];
  /** Those that we begin handshakes with, the preferred one first: the peers know them. */
  readonly initiators: readonly LocalStatic[];
}

/** A static key of a peer's; two at once while one replaces the other. */
export class RemoteStatic<Owner> {
  readonly staticKey: Uint8Array;
  readonly cookies: CookieGenerator;

  constructor(
    readonly peer: Owner,
    readonly publicKey: PublicKey,
    crypto: CryptoProvider,
  ) {
    this.staticKey = publicKeyBytes(publicKey);
    this.cookies = new CookieGenerator(crypto, this.staticKey);
  }
}

/** One static key of ours and one of a peer's: what a handshake is made with. */
export class StaticPair<Owner extends { readonly presharedKey: Uint8Array }> implements RemoteKeys {
  #staticStatic: Uint8Array | undefined;

  constructor(
    readonly local: LocalStatic,
    readonly remote: RemoteStatic<Owner>,
    private readonly crypto: CryptoProvider,
  ) {}

  get peer(): Owner {
    return this.remote.peer;
  }
  get staticKey(): Uint8Array {
    return this.remote.staticKey;
  }
  get presharedKey(): Uint8Array {
    return this.remote.peer.presharedKey;
  }

  /** Computed at the first handshake: a device with ten thousand peers should not take ten seconds to configure. */
  staticStatic(): Uint8Array {
    this.#staticStatic ??= this.crypto.dh(this.local.privateKey, this.remote.staticKey);
    return this.#staticStatic;
  }

  erase(): void {
    this.#staticStatic?.fill(0);
    this.#staticStatic = undefined;
  }
}
