import { randomBytes } from 'node:crypto';
import { hash, type Options, verify } from '@node-rs/argon2';
import { WarrenError } from '@warren/base';

/** RFC 9106 §4, the second recommended option: Argon2id, 64 MiB, three passes, four lanes, 128 bits of salt. */
const MEMORY = 65_536;
const PASSES = 3;
const LANES = 4;
const SALT_LENGTH = 16;
const TAG_LENGTH = 32;
/** Each takes 64 MiB and one of the four threads that files and names need, too. */
const AT_ONCE = 2;
/** Those that wait for one; with more, it is said that we are busy. */
const MOST_WAITING = 16;

/** Argon2id on threads beside the event loop, so many at once. Passwords are compared in Unicode's form C (RFC 8265 §4.2.1). */
export class PasswordHasher {
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  /** A hash of no password, with the work of one. */
  readonly #nobody = phcText(randomBytes(SALT_LENGTH), randomBytes(TAG_LENGTH));

  /** @param onWork told the seconds that each computation took */
  constructor(private readonly onWork: (seconds: number) => void) {}

  /** @returns PHC's string format. @throws WarrenError `busy` */
  hash(password: string): Promise<string> {
    const options: Options = {
      // Argon2id; the package's enum is for compilers that inline it.
      algorithm: 2,
      ...{ memoryCost: MEMORY, timeCost: PASSES, parallelism: LANES, outputLen: TAG_LENGTH },
      salt: randomBytes(SALT_LENGTH),
    };
    return this.#inTurn(() => hash(password.normalize('NFC'), options));
  }

  /** Does the same work where there is no hash, and is false then. @throws WarrenError `busy` */
  async verify(kept: string | null, password: string): Promise<boolean> {
    const right = await this.#inTurn(() => verify(kept ?? this.#nobody, password.normalize('NFC')));
    return right && kept !== null;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= MOST_WAITING)
        throw new WarrenError('busy', 'too many passwords are being checked: try again in a moment');
      // Whoever ends leaves its place to us.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    const begun = performance.now();
    try {
      return await work();
    } finally {
      this.onWork((performance.now() - begun) / 1_000);
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}

const phcText = (salt: Uint8Array, tag: Uint8Array): string => {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${MEMORY},t=${PASSES},p=${LANES}$${text(salt)}$${text(tag)}`;
};
