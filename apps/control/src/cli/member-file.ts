import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { open, readFile, unlink, writeFile } from 'node:fs/promises';
import { fromBase64Url, type PublicKey, publicKeyFromBytes, SecretKey, toBase64, WarrenError } from '@warren/base';
import { isWgQuickProblem, PRIVATE_KEY_PLACEHOLDER, parseWgQuick, renderPhoneConf } from '@warren/topology';
import qrcode from 'qrcode-generator';

/** A WireGuard key pair; the private part stays on this machine. */
export interface KeyPair {
  readonly privateKey: SecretKey;
  readonly publicKey: PublicKey;
}

/** RFC 8410 §7: an X25519 private key in PKCS #8 is this and its 32 bytes. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');

export function createKeyPair(): KeyPair {
  const { d } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  return keyPairOf(new SecretKey(fromBase64Url(d!)!));
}

export function keyPairOf(privateKey: SecretKey): KeyPair {
  const der = Buffer.concat([PKCS8_HEAD, privateKey.expose()]);
  const { x } = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({ format: 'jwk' });
  return { privateKey, publicKey: publicKeyFromBytes(fromBase64Url(x!)!) };
}

/** A private key as `wg genkey` writes it. @throws WarrenError `file-unreadable`, `private-key-bad` */
export async function readPrivateKey(path: string): Promise<KeyPair> {
  const key = SecretKey.parse((await read(path)).trim());
  if (!key)
    throw new WarrenError('private-key-bad', `${path} holds no private key: it must be as \`wg genkey\` writes it`);
  return keyPairOf(key);
}

/** A preshared key as `wg genpsk` writes it, base64. @throws WarrenError `file-unreadable`, `preshared-key-bad` */
export async function readPresharedKey(path: string): Promise<string> {
  const text = (await read(path)).trim();
  if (SecretKey.parse(text)) return text;
  throw new WarrenError('preshared-key-bad', `${path} holds no preshared key: it must be as \`wg genpsk\` writes it`);
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new WarrenError('file-unreadable', `cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** The file with the private key where its placeholder was; one that takes the key from a command has none. */
export const withPrivateKey = (conf: string, { privateKey }: KeyPair): string =>
  conf.replace(`PrivateKey = ${PRIVATE_KEY_PLACEHOLDER}`, `PrivateKey = ${toBase64(privateKey.expose())}`);

/** What a QR code holds. @throws WarrenError `no-qr-code` */
export function phoneConf(conf: string): string {
  const parsed = parseWgQuick(conf);
  if (isWgQuickProblem(parsed)) throw new WarrenError('no-qr-code', `line ${parsed.line}: ${parsed.message}`);
  if (!parsed.interface.privateKey) {
    const text = 'a QR code needs the private key: make the member with --vanilla --qr, or give --private-key-file';
    throw new WarrenError('no-qr-code', text);
  }
  return renderPhoneConf(parsed);
}

type QrCode = ReturnType<typeof qrcode>;

/** @throws WarrenError `no-qr-code` for more than a code holds. */
function encode(text: string): QrCode {
  const code = qrcode(0, 'L');
  code.addData(text, 'Byte');
  try {
    code.make();
  } catch (error) {
    const message = `${text.length} bytes are more than a QR code holds: write the file with --output and bring it over`;
    throw new WarrenError('no-qr-code', message, { cause: error });
  }
  return code;
}

/** ISO/IEC 18004 §7.3.9 wants a quiet zone of four modules around a code; readers are content with two on a screen. */
const QUIET = 2;

/** A QR code in a terminal: two modules a character, dark on light whatever the terminal's colours are. */
export function terminalQr(text: string): string {
  const code = encode(text);
  const size = code.getModuleCount();
  const dark = (row: number, column: number): boolean =>
    row >= 0 && column >= 0 && row < size && column < size && code.isDark(row, column);
  const lines: string[] = [];
  for (let row = -QUIET; row < size + QUIET; row += 2) {
    let line = '';
    for (let column = -QUIET; column < size + QUIET; column++) {
      const [upper, lower] = [dark(row, column), dark(row + 1, column)];
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
    }
    lines.push(`\u001b[30;107m${line}\u001b[0m`);
  }
  return lines.join('\n');
}

/** The same as an SVG image. */
export const svgQr = (text: string): string => encode(text).createSvgTag({ scalable: true, margin: 4, cellSize: 1 });

/** For its owner's eyes only; never over a file that is there. @throws WarrenError `file-exists`, `file-unwritable` */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Finds out before anything is made whether a file can be. @throws as `writeSecretFile` */
export async function checkWritable(...paths: readonly (string | undefined)[]): Promise<void> {
  for (const path of paths) {
    if (path === undefined) continue;
    try {
      const file = await open(path, 'wx', 0o600);
      await file.close();
      await unlink(path);
    } catch (error) {
      throw unwritable(path, error);
    }
  }
}

function unwritable(path: string, error: unknown): WarrenError {
  if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
    return new WarrenError('file-exists', `${path} is there already: name another file, or remove it`);
  }
  return new WarrenError('file-unwritable', `cannot write ${path}: ${(error as Error).message}`, { cause: error });
}
