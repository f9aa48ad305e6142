import { createHash } from 'node:crypto';
import { WarrenError } from '@warren/base';
import type { NewSession, SessionOrigin, SessionRow, Store } from '@warren/db';
import { callerKey } from '../caller-address.js';
import type { Log } from '../log.js';
import { codeLabel, type Metrics } from '../metrics/metrics.js';
import { type Rate, RateLimiter } from '../rate-limiter.js';
import { FailedSignIns } from './failed-sign-ins.js';
import { PasswordHasher } from './password-hasher.js';
import { checkPassword, isTooLong } from './password-rule.js';

/** How often passwords and links may be tried, per process; what succeeds is not counted. */
export interface SignInRates {
  /** From one IPv4 address or one IPv6 network of 64 bits. */
  readonly perAddress: Rate;
  /** For one name, known or not, whatever addresses ask. */
  readonly perName: Rate;
}

/** What people mistype, then one try in a few seconds: with two thousand addresses still ten thousand a day for a name. */
export const SIGN_IN_RATES: SignInRates = {
  perAddress: { atOnce: 10, perSecond: 1 / 6 },
  perName: { atOnce: 30, perSecond: 1 / 8 },
};

/** Who tries. */
export interface Caller extends SessionOrigin {
  /** Makes the refusal for whoever has to wait, milliseconds. */
  tooMany(wait: number, what: string): WarrenError;
}

interface Parts {
  readonly store: Store;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly rates: SignInRates;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
}

/** Lets people in by a password or a link, slowly where somebody guesses. */
export class SignIns {
  readonly #hasher: PasswordHasher;
  readonly #addresses: RateLimiter;
  readonly #names: RateLimiter;
  readonly #failures: FailedSignIns;

  constructor(private readonly parts: Parts) {
    this.#hasher = new PasswordHasher((seconds) => parts.metrics.passwordSeconds.observe(seconds));
    this.#addresses = new RateLimiter(parts.rates.perAddress);
    this.#names = new RateLimiter(parts.rates.perName);
    this.#failures = new FailedSignIns(parts);
  }

  /** An unknown name is answered as a wrong password is, after the same work. @throws WarrenError `sign-in-failed`, `too-many-requests` */
  byPassword(name: string, password: string, caller: Caller): Promise<NewSession> {
    return this.#counted('password', async () => {
      const giveBack = this.#enter(caller, name);
      const user = await this.parts.store.findUser(name);
      const right = await this.#isRight(user?.passwordHash ?? null, password);
      const opened = right && user ? await this.parts.store.openSession(user, caller) : undefined;
      if (!opened) {
        await this.#failures.note(user?.name ?? null, caller.address);
        const text = 'this is not the password: try again, or make a link that sets another with `warren admin link`';
        throw new WarrenError('sign-in-failed', text);
      }
      giveBack();
      await this.#failures.flush(opened.session.user.name);
      return opened;
    });
  }

  /** Sets the password. A link is spent by that only. @throws WarrenError `link-…`, `password-too-short`, `too-many-requests` */
  byLink(link: string, password: string, caller: Caller): Promise<NewSession> {
    return this.#counted('link', async () => {
      const giveBack = this.#enter(caller);
      await this.parts.store.checkSignInLink(link);
      giveBack();
      checkPassword(password);
      return this.parts.store.useSignInLink(link, await this.#hasher.hash(password), caller);
    });
  }

  /** @throws WarrenError `password-wrong`, `password-too-short`, `too-many-requests`, `not-found` */
  async changePassword({ id, user }: SessionRow, current: string, password: string, caller: Caller): Promise<void> {
    checkPassword(password);
    const giveBack = this.#enter(caller, user.name);
    const kept = (await this.parts.store.findUser(user.name))?.passwordHash ?? null;
    if (!(await this.#isRight(kept, current))) {
      await this.#failures.note(user.name, caller.address);
      throw new WarrenError('password-wrong', 'the current password is another one: try again');
    }
    giveBack();
    await this.parts.store.setPassword(id, await this.#hasher.hash(password));
  }

  async #isRight(kept: string | null, password: string): Promise<boolean> {
    // What is too long was never set; the work is done all the same.
    return this.#hasher.verify(isTooLong(password) ? null : kept, isTooLong(password) ? '' : password);
  }

  /** Counts a try before any work is done for it. @returns takes that back. @throws WarrenError `too-many-requests` */
  #enter(caller: Caller, as?: string): () => void {
    const address = callerKey(caller.address);
    const name = as === undefined ? undefined : nameKey(as);
    const wait = this.#addresses.take(address, this.parts.now());
    if (wait > 0) throw caller.tooMany(wait, 'too many sign-ins were tried from this address');
    const nameWait = name === undefined ? 0 : this.#names.take(name, this.parts.now());
    if (nameWait > 0) throw caller.tooMany(nameWait, 'too many sign-ins were tried');
    return () => {
      this.#addresses.giveBack(address);
      if (name !== undefined) this.#names.giveBack(name);
    };
  }

  async #counted<T>(by: string, attempt: () => Promise<T>): Promise<T> {
    try {
      const result = await attempt();
      this.parts.metrics.signIns.inc({ by, result: 'signed-in' });
      return result;
    } catch (error) {
      const result = error instanceof WarrenError ? codeLabel(error.code) : 'internal';
      this.parts.metrics.signIns.inc({ by, result });
      throw error;
    }
  }
}

/** Fewer than the callers that are remembered: whoever tries many names makes no other name's tries forgotten. */
const NAMES = 8_192;

/** By what tries for a name are counted; names that share a counter share their tries. */
export const nameKey = (name: string): string =>
  String(createHash('sha256').update(name).digest().readUInt32BE() % NAMES);
