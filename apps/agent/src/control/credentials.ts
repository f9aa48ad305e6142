import { X509Certificate } from 'node:crypto';
import { fromBase64, unixMillis } from '@warren/base';
import { signRenewal } from '@warren/identity';
import type { Membership } from '../state/membership.js';
import type { NetworkState } from '../state/network-state.js';
import { identityPem, identityPublicKey, type NodeKeys } from '../state/node-keys.js';
import { type ClientIdentity, type ControlTarget, callUnary, certificatePem, withControlClient } from './client.js';

/**
 * The client certificate of one membership: read from disk, renewed from half its life on and when it has expired.
 */
export class Credentials {
  #chain: readonly Uint8Array[] | undefined;

  constructor(
    private readonly state: NetworkState,
    private readonly membership: Membership,
    private readonly keys: NodeKeys,
    private readonly now: () => number,
  ) {}

  /** Where to connect to with this certificate, as it is. */
  async target(address: string): Promise<ControlTarget> {
    return { address, rootPem: this.#rootPem(), identity: await this.#identity() };
  }

  /** Unix milliseconds from which on renewal is due. */
  async renewAt(): Promise<number> {
    const leaf = (await this.#load())[0];
    if (!leaf) return 0;
    const { validFrom, validTo } = new X509Certificate(leaf);
    return (Date.parse(validFrom) + Date.parse(validTo)) / 2;
  }

  /** @returns whether the certificate is too old (or missing) to be shown. */
  async hasExpired(): Promise<boolean> {
    const leaf = (await this.#load())[0];
    return !leaf || Date.parse(new X509Certificate(leaf).validTo) <= this.now();
  }

  /** Trades an identity signature for a fresh certificate and saves it. @throws as `translateCallError`. */
  async renew(address: string): Promise<void> {
    const signedAt = unixMillis(this.now());
    const { nodeId, identity } = this.keys;
    // Without the old certificate: an expired one would fail the handshake.
    await withControlClient({ address, rootPem: this.#rootPem() }, async (client) => {
      const { certificateChain } = await callUnary(client, client.renew, {
        nodeId,
        identityKey: Buffer.from(identityPublicKey(identity)),
        signedAt,
        signature: Buffer.from(signRenewal(identity, nodeId, signedAt)),
      });
      await this.state.saveCertificateChain(certificateChain);
      this.#chain = certificateChain;
    });
  }

  async #load(): Promise<readonly Uint8Array[]> {
    this.#chain ??= await this.state.certificateChain();
    return this.#chain;
  }

  async #identity(): Promise<ClientIdentity> {
    const chain = (await this.#load()).map(certificatePem).join('');
    return { privateKey: identityPem(this.keys.identity), chain };
  }

  #rootPem(): string {
    return certificatePem(fromBase64(this.membership.control.root) ?? new Uint8Array(0));
  }
}
