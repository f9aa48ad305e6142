import type { SecretKey } from '@warren/base';
import { publicKeyFromBytes } from '@warren/base';
import { withoutPrivateKeys } from '@warren/topology';

/** As the control plane takes them. */
const MAX_FILE = 1_000_000;
const MAX_FILES = 500;

/** A file as it may be sent, or why it may not. */
export interface PickedFile {
  readonly id: string;
  /** May become the node's name: `laptop.conf`, `laptop/wg0.conf`. */
  readonly name: string;
  /** Without its private key; empty where there is a problem. */
  readonly text: string;
  readonly hadPrivateKey: boolean;
  readonly problem?: string;
}

/** Reads files and takes their private keys out: what leaves this function has none. */
export async function readFiles(picked: readonly File[]): Promise<PickedFile[]> {
  const { default: sodium } = await import('libsodium-wrappers');
  await sodium.ready;
  const publicKeyOf = (key: SecretKey) => publicKeyFromBytes(sodium.crypto_scalarmult_base(key.expose()));
  return Promise.all(picked.slice(0, MAX_FILES).map((file) => readFile(file, publicKeyOf)));
}

async function readFile(file: File, publicKeyOf: Parameters<typeof withoutPrivateKeys>[1]): Promise<PickedFile> {
  const name = file.webkitRelativePath || file.name;
  const refused = (problem: string): PickedFile => ({
    id: crypto.randomUUID(),
    ...{ name, text: '', hadPrivateKey: false, problem },
  });
  if (file.size > MAX_FILE) return refused('is too long to be a wg-quick file');
  const bytes = new Uint8Array(await file.arrayBuffer());
  // In UTF-16 nothing would look like a private key, and all of it would be sent.
  if (bytes.includes(0)) return refused('is no text in UTF-8: save it as such first');
  const redacted = withoutPrivateKeys(new TextDecoder().decode(bytes), publicKeyOf);
  if ('message' in redacted) return refused(`line ${redacted.line}: ${redacted.message}`);
  if (!window.isSecureContext && /^\s*PresharedKey\s*=/im.test(redacted.text))
    return refused('holds preshared keys, and this page is not encrypted: use https, or import by command');
  return {
    id: crypto.randomUUID(),
    ...{ name, text: redacted.text, hadPrivateKey: redacted.publicKey !== undefined },
  };
}
