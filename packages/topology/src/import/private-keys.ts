import { type PublicKey, SecretKey } from '@warren/base';
import { PRIVATE_KEY_PLACEHOLDER } from '../wg-quick.js';
import type { WgQuickProblem } from '../wg-quick-parse.js';

/** The base64 of 32 bytes, wherever it stands. */
const KEY_TEXT = /(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=(?![A-Za-z0-9+/=])/g;
const PRIVATE_LINE = /^([\s#]*)PrivateKey\s*=\s*([^\s#]*)/i;
/** With the one key that belongs there; what else stands on the line is looked at like any other text. */
const PUBLIC_LINE = /^[\s#]*PublicKey\s*=\s*[^\s#]*/i;
const PRESHARED_LINE = /^\s*PresharedKey\s*=\s*[^\s#]*/i;

/** A file that may be sent: its public key stands in place of the private one, line for line. */
export interface RedactedConf {
  readonly text: string;
  /** Absent: the file had no private key. */
  readonly publicKey?: PublicKey;
}

/**
 * Takes the private key out of a wg-quick file, also out of comments, and puts `# PublicKey = …` in its place. Keys are
 * taken out of other comments, too: they may be old private ones.
 *
 * @param publicKeyOf the X25519 public key of a private one.
 * @returns a problem when the key is none, or when a command seems to hold one.
 */
export function withoutPrivateKeys(
  text: string,
  publicKeyOf: (key: SecretKey) => PublicKey,
): RedactedConf | WgQuickProblem {
  let publicKey: PublicKey | undefined;
  const known = publicKeysIn(text);
  const lines: string[] = [];
  for (const [index, line] of linesOf(text).entries()) {
    const [, comment, value] = PRIVATE_LINE.exec(line) ?? [];
    if (value === undefined || value === PRIVATE_KEY_PLACEHOLDER) {
      const { own, rest } = apart(line);
      const code = rest.replace(/#.*/, '');
      if (!isComment(line) && hidesKey(code, known)) return { line: index + 1, message: KEY_IN_COMMAND };
      const kept = isComment(line) ? '' : code;
      lines.push(own + kept + rest.slice(kept.length).replace(KEY_TEXT, '(removed)'));
    } else if (comment!.includes('#')) {
      lines.push('# PrivateKey (removed)');
    } else {
      const key = SecretKey.parse(value);
      if (!key) return { line: index + 1, message: 'PrivateKey must be the base64 of 32 bytes' };
      publicKey = publicKeyOf(key);
      key.erase();
      lines.push(`# PublicKey = ${publicKey}`);
    }
  }
  return { text: lines.join('\n'), ...(publicKey !== undefined && { publicKey }) };
}

const KEY_IN_COMMAND = 'this seems to hold a private key: keep it in a file of its own, and let the command read that';

/**
 * Where files hold what is, or may be, a private key: `PrivateKey` with a value, or a key that stands neither for a public
 * nor a preshared one. @returns file names and lines, never what stands there.
 */
export function findPrivateKeys(
  files: readonly { readonly name: string; readonly text: string }[],
): { readonly file: string; readonly line: number }[] {
  const known = new Set(files.flatMap(({ text }) => [...publicKeysIn(text)]));
  return files.flatMap(({ name, text }) =>
    linesOf(text).flatMap((line, index) => {
      const value = PRIVATE_LINE.exec(line)?.[2] ?? '';
      const assigned = value !== '' && value !== PRIVATE_KEY_PLACEHOLDER && value !== '(removed)';
      return assigned || hidesKey(apart(line).rest, known) ? [{ file: name, line: index + 1 }] : [];
    }),
  );
}

/** A line in the part where a public or a preshared key belongs, empty for others, and the rest. */
function apart(line: string): { readonly own: string; readonly rest: string } {
  const own = (PUBLIC_LINE.exec(line) ?? PRESHARED_LINE.exec(line))?.[0] ?? '';
  return { own, rest: line.slice(own.length) };
}

/** Whether a text holds a key that is none of `known`. */
const hidesKey = (text: string, known: ReadonlySet<string>): boolean =>
  [...text.matchAll(KEY_TEXT)].some(([key]) => !known.has(key));

function publicKeysIn(text: string): ReadonlySet<string> {
  return new Set(linesOf(text).flatMap((line) => PUBLIC_LINE.exec(line)?.[0].match(KEY_TEXT) ?? []));
}

const isComment = (line: string): boolean => /^\s*#/.test(line);
const linesOf = (text: string): string[] => text.replace(/^\uFEFF/, '').split(/\r?\n/);
