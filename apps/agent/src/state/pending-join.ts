import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64, type NodeId, type SecretKey, toBase64 } from '@warren/base';
import { makePrivateFolder, readJsonIfThere, removeEmptyFolder, writeFileAtomically } from './atomic-file.js';
import { generateNodeKeys, loadNodeKeys, type NodeKeys, saveNodeKeys } from './node-keys.js';

/** What PrepareJoin answered; kept while the answer to Join is outstanding. */
export interface PreparedJoin {
  readonly networkId: string;
  readonly networkName: string;
  readonly cidrs: readonly string[];
  readonly challenge: Uint8Array;
  readonly challengeKey: Uint8Array;
}

/**
 * A join that has not ended. Its keys are on disk before the first request, so that a repetition after a lost reply is
 * the same node to the control plane and spends no second use (ADR 0008).
 */
export class PendingJoin {
  #keys: NodeKeys;

  private constructor(
    readonly folder: string,
    keys: NodeKeys,
    /** Set when Join may have reached the control plane earlier. */
    readonly sent: PreparedJoin | undefined,
  ) {
    this.#keys = keys;
  }

  get keys(): NodeKeys {
    return this.#keys;
  }

  /** Takes up the pending join of this token, or begins one. */
  static async open(stateDir: string, tokenId: string): Promise<PendingJoin> {
    // The id comes from outside and becomes a file name: hashed, it cannot climb out of the folder.
    const name = createHash('sha256').update(tokenId).digest('hex').slice(0, 32);
    const folder = join(stateDir, 'pending', name);
    await makePrivateFolder(folder);
    const known = await loadNodeKeys(join(folder, 'keys.json'));
    const keys = known ?? generateNodeKeys();
    if (!known) {
      await saveNodeKeys(join(folder, 'keys.json'), keys).catch(async (error: unknown) => {
        await removeEmptyFolder(folder);
        throw error;
      });
    }
    return new PendingJoin(folder, keys, await loadPrepared(join(folder, 'prepared.json')));
  }

  /** From now on this is the node of that id, with that WireGuard key: a member that is taken over. */
  async become(nodeId: NodeId, wireguard: SecretKey): Promise<void> {
    const keys = { ...this.#keys, nodeId, wireguard };
    await saveNodeKeys(join(this.folder, 'keys.json'), keys);
    this.#keys = keys;
  }

  /** From now on this is that node, whose key has expired: with another WireGuard key, vouched for by the same identity. */
  async revive(expired: NodeKeys): Promise<void> {
    if (this.#keys.nodeId === expired.nodeId) return; // begun before
    const { nodeId, identity, path, generation } = expired;
    const { wireguard } = generateNodeKeys();
    const keys = { nodeId, identity, path, wireguard, generation: generation + 1, changedAt: Date.now() };
    await saveNodeKeys(join(this.folder, 'keys.json'), keys);
    this.#keys = keys;
  }

  /** To be called right before Join is sent. */
  async markSent(prepared: PreparedJoin): Promise<void> {
    const { challenge, challengeKey, ...rest } = prepared;
    const file = { ...rest, challenge: toBase64(challenge), challengeKey: toBase64(challengeKey) };
    await writeFileAtomically(join(this.folder, 'prepared.json'), `${JSON.stringify(file)}\n`);
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function loadPrepared(path: string): Promise<PreparedJoin | undefined> {
  const file = await readJsonIfThere(path);
  const challenge = fromBase64(String(file?.challenge));
  const challengeKey = fromBase64(String(file?.challengeKey));
  if (!file || !challenge || !challengeKey || !Array.isArray(file.cidrs)) return undefined;
  return {
    networkId: String(file.networkId),
    networkName: String(file.networkName),
    cidrs: file.cidrs.map(String),
    challenge,
    challengeKey,
  };
}
