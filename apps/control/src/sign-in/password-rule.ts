import { WarrenError } from '@warren/base';

/** Characters (code points). NIST SP 800-63B §3.1.1.2 asks for length and for nothing else. */
const SHORTEST = 10;
/** Bytes of UTF-8. */
const LONGEST = 1_024;

/** Refuses what may not become a password. @throws WarrenError `password-too-short`, `bad-request` */
export function checkPassword(password: string): void {
  if ([...password.normalize('NFC')].length < SHORTEST)
    throw new WarrenError('password-too-short', `a password has at least ${SHORTEST} characters`);
  if (isTooLong(password)) throw new WarrenError('bad-request', `a password has at most ${LONGEST} bytes`);
}

/** Whether it is longer than any password of ours, and not worth the work of hashing it. */
export const isTooLong = (password: string): boolean => Buffer.byteLength(password.normalize('NFC')) > LONGEST;
