import { SecretKey } from '@warren/base';
import { useEffect, useState } from 'react';
import { keyPairOf, loadSodium } from '../../shell/device/device-key.js';

/** A private key that somebody types, once it is known to be that of the member. */
export interface OwnKey {
  readonly key: SecretKey | undefined;
  /** Why it is none; undefined while nothing is typed, and while it is looked at. */
  readonly problem: string | undefined;
}

const NONE: OwnKey = { key: undefined, problem: undefined };

/**
 * Whether a typed private key is the one of `publicKey`, found out in this page: the key is in no request.
 *
 * @param publicKey null: the member has none yet, so any key will do.
 */
export async function readOwnKey(typed: string, publicKey: string | null): Promise<OwnKey> {
  const text = typed.trim();
  if (text === '') return NONE;
  const given = SecretKey.parse(text);
  if (!given) return { key: undefined, problem: 'a private key is 44 characters of base64, as `wg genkey` prints it' };
  const pair = keyPairOf(await loadSodium(), given.expose());
  if (publicKey === null || pair.publicKey === publicKey) return { key: pair.privateKey, problem: undefined };
  return { key: undefined, problem: `that is the key of another one: its public key is ${pair.publicKey}` };
}

/** The same for a field of a form. */
export function useOwnKey(typed: string, publicKey: string | null): OwnKey {
  const [own, setOwn] = useState<OwnKey>(NONE);
  useEffect(() => {
    let wanted = true;
    const take = (read: OwnKey): void => void (wanted && setOwn(read));
    readOwnKey(typed, publicKey).then(take, () =>
      take({ key: undefined, problem: 'this browser could not load what checks the key: load the page again' }),
    );
    return () => {
      wanted = false;
    };
  }, [typed, publicKey]);
  return own;
}
