import { fromBase64, SecretKey, toBase64, WarrenError } from '@warren/base';
import { readJsonIfThere, removeFile, writeFileAtomically } from './atomic-file.js';

/** A WireGuard key that was made and may have been asked for: on disk before the control plane hears of it. */
export interface PendingRotation {
  readonly wireguard: SecretKey;
  /** Of the record that vouches for it. */
  readonly generation: number;
  /** The key in use is in wrong hands. */
  readonly compromised: boolean;
}

export async function savePendingRotation(path: string, pending: PendingRotation): Promise<void> {
  const { generation, compromised } = pending;
  const wireguard = toBase64(pending.wireguard.expose());
  await writeFileAtomically(path, `${JSON.stringify({ version: 1, wireguard, generation, compromised })}\n`);
}

/** @returns undefined when there is none. @throws WarrenError `state-damaged`: dropping a key that was taken would lose the node. */
export async function loadPendingRotation(path: string): Promise<PendingRotation | undefined> {
  const file = await readJsonIfThere(path);
  if (!file) return undefined;
  const bytes = fromBase64(String(file.wireguard));
  const { generation } = file;
  if (bytes?.length !== 32 || typeof generation !== 'number' || !Number.isSafeInteger(generation)) {
    throw new WarrenError('state-damaged', `${path} is damaged: remove it, then start the agent again`);
  }
  return { wireguard: new SecretKey(bytes), generation, compromised: file.compromised === true };
}

export const removePendingRotation = (path: string): Promise<void> => removeFile(path);
