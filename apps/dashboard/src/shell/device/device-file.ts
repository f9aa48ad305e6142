import { type SecretKey, toBase64 } from '@warren/base';
import { isWgQuickProblem, PRIVATE_KEY_PLACEHOLDER, parseWgQuick, renderPhoneConf } from '@warren/topology';

/** A file that is complete, in this page. */
export interface DeviceFile {
  readonly text: string;
  /** The same for the app of a phone; undefined: it cannot be scanned, for want of a private key in it. */
  readonly forPhone: string | undefined;
  /** Whether there is anybody in it: without a bounce or direct node a device reaches nobody. */
  readonly lonely: boolean;
}

const PLACEHOLDER = `PrivateKey = ${PRIVATE_KEY_PLACEHOLDER}`;

/** @param key absent: whoever has it puts it in, and the placeholder stays. */
export function completeFile(file: string, key: SecretKey | undefined): DeviceFile {
  const lonely = !/^\[Peer\]/m.test(file);
  if (!key) return { text: file, forPhone: undefined, lonely };
  // A function: `$` in a replacement text has a meaning, and base64 may never get one.
  const text = file.replace(PLACEHOLDER, () => `PrivateKey = ${toBase64(key.expose())}`);
  const parsed = parseWgQuick(text);
  const scannable = !isWgQuickProblem(parsed) && parsed.interface.privateKey !== undefined;
  return { text, forPhone: scannable ? renderPhoneConf(parsed) : undefined, lonely };
}
