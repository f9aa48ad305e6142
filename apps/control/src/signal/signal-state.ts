import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64, SecretKey, toBase64, WarrenError } from '@warren/base';
import { decodeTombstone, type SignedTombstone } from '@warren/identity';
import { z } from 'zod';

/** What a signal server that runs alone keeps in its data directory, and all that it needs to run. */
export interface SignalState {
  /** Ed25519 seed: signs its claims, and its certificate is for it. */
  readonly identity: SecretKey;
  /** X25519. */
  readonly key: SecretKey;
  /** Absent until the control plane took it in. */
  readonly enrolled?: Enrolment;
}

export interface Enrolment {
  readonly tokenId: string;
  readonly serverId: string;
  readonly region: string;
  /** TLS addresses of the control plane. */
  readonly addresses: readonly string[];
  /** The control plane's root, compared with the token's pin. */
  readonly rootPem: string;
  /** Ed25519 public key, 32 bytes. */
  readonly authorityKey: Uint8Array;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly tombstones: readonly SignedTombstone[];
}

const FILE = 'signal.json';
const MAX_TOMBSTONES = 10_000;

const Bytes = z.string().transform((text, context) => {
  const bytes = fromBase64(text);
  if (bytes) return bytes;
  context.addIssue('must be base64');
  return z.NEVER;
});
const Key = Bytes.refine((bytes) => bytes.length === 32, 'must be 32 bytes');
const StateFile = z.object({
  version: z.literal(1),
  identity: Key,
  key: Key,
  enrolled: z
    .object({
      tokenId: z.string(),
      serverId: z.string(),
      region: z.string(),
      addresses: z.array(z.string()).min(1),
      rootPem: z.string(),
      authorityKey: Key,
      chain: z.array(Bytes).min(1),
      tombstones: z.array(z.object({ tombstone: Bytes, signature: Bytes })),
    })
    .optional(),
});

/** Keys are made, and written, at the first start. @throws WarrenError `data-dir` for a file that is not ours. */
export async function loadSignalState(dataDir: string): Promise<SignalState> {
  const path = join(dataDir, FILE);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new WarrenError('data-dir', `cannot read ${path}: ${error.message}`, { cause: error });
  });
  if (text !== undefined) return parseState(text, path);
  const fresh = { identity: new SecretKey(randomBytes(32)), key: new SecretKey(randomBytes(32)) };
  await saveSignalState(dataDir, fresh);
  return fresh;
}

/** Complete or as before, whatever interrupts us; 0600. */
export async function saveSignalState(dataDir: string, { identity, key, enrolled }: SignalState): Promise<void> {
  const file: z.input<typeof StateFile> = {
    ...{ version: 1, identity: toBase64(identity.expose()), key: toBase64(key.expose()) },
    ...(enrolled && {
      enrolled: {
        ...enrolled,
        addresses: [...enrolled.addresses],
        authorityKey: toBase64(enrolled.authorityKey),
        chain: enrolled.chain.map(toBase64),
        tombstones: enrolled.tombstones.map(({ tombstone, signature }) => ({
          ...{ tombstone: toBase64(tombstone), signature: toBase64(signature) },
        })),
      },
    }),
  };
  const path = join(dataDir, FILE);
  await writeFile(`${path}.new`, `${JSON.stringify(file)}\n`, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}

/** Both lists, each revocation once, without those from before `since` (Unix milliseconds); the newest when there are many. */
export function mergeTombstones(
  one: readonly SignedTombstone[],
  other: readonly SignedTombstone[],
  since: number,
): readonly SignedTombstone[] {
  const all = new Map([...one, ...other].map((signed) => [toBase64(signed.signature), signed]));
  const dated = [...all.values()].map((signed) => ({ signed, at: decodeTombstone(signed.tombstone)?.revokedAt ?? 0 }));
  const kept = dated.filter(({ at }) => at > since).sort((a, b) => a.at - b.at);
  return kept.slice(-MAX_TOMBSTONES).map(({ signed }) => signed);
}

function parseState(text: string, path: string): SignalState {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw damaged(path, error);
  }
  const state = StateFile.safeParse(parsed);
  if (!state.success) throw damaged(path, state.error);
  const { identity, key, enrolled } = state.data;
  return { identity: new SecretKey(identity), key: new SecretKey(key), ...(enrolled && { enrolled }) };
}

const damaged = (path: string, cause: unknown): WarrenError =>
  new WarrenError('data-dir', `${path} is damaged: restore it, or remove it and enrol with a new token`, { cause });
