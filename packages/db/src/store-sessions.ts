import type { Actor, Page, PageQuery } from './store-api.js';

/** Who may sign in to the dashboard. */
export interface UserRow {
  readonly id: string;
  readonly name: string;
  /** As the caller gave it, in PHC's string format; null: no password was set. */
  readonly passwordHash: string | null;
}

/** Whence a session was opened; null: not known. Longer texts are cut. */
export interface SessionOrigin {
  readonly address: string | null;
  readonly userAgent: string | null;
}

/** A session that is good, without its secret. `lastSeenAt` is exact to a minute. */
export interface SessionRow extends SessionOrigin {
  readonly id: string;
  readonly user: { readonly id: string; readonly name: string };
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  /** It ends then, unless it is used before. */
  readonly idleExpiresAt: Date;
  /** It ends then in any case. */
  readonly expiresAt: Date;
}

/** A session and its secret, which is returned once and kept hashed. */
export interface NewSession {
  readonly session: SessionRow;
  /** 43 characters of base64url. */
  readonly secret: string;
}

/** Sign-ins that failed, told together. */
export interface FailedSignIns {
  /** The user whose password was wrong; null: no user of ours. What was typed is not kept: it may be a password. */
  readonly user: string | null;
  /** Of the last one. */
  readonly address: string | null;
  readonly count: number;
}

/**
 * The part of the store that knows users and their sessions. All times are the database's. Whoever signs in does so as
 * `admin`, the one user there is.
 */
export interface StoreSessions {
  /** Whether a password was set. */
  isSetUp(): Promise<boolean>;
  findUser(name: string): Promise<UserRow | undefined>;

  /** For whoever has shown the password of `user`; undefined: it has changed since. A user's hundred last sessions stay. */
  openSession(user: UserRow, origin: SessionOrigin): Promise<NewSession | undefined>;
  /** The session of a secret, unless it has ended. `isUse` puts its idle expiry off. */
  checkSession(secret: string, isUse: boolean): Promise<SessionRow | undefined>;
  /** Those that are good, oldest first. */
  listSessions(page?: PageQuery): Promise<Page<SessionRow>>;
  /** `sign-out`: by itself; `end`: from elsewhere. */
  endSession(id: string, action: 'sign-out' | 'end', actor: Actor): Promise<void>; // not-found
  /** Into the audit log; the caller bounds how often. */
  noteFailedSignIns(failure: FailedSignIns): Promise<void>;

  /** A link (`warrenlink_…`) that sets the password once, within `lifeMs` milliseconds; kept hashed. */
  createSignInLink(lifeMs: number, actor: Actor): Promise<{ link: string; expiresAt: Date }>;
  /** Looks without spending. */
  checkSignInLink(link: string): Promise<void>; // link-unknown, link-used, link-expired
  /** Spends a link: sets the password, ends all sessions and links of its user, and opens a session. */
  useSignInLink(link: string, passwordHash: string, origin: SessionOrigin): Promise<NewSession>; // link-…
  /** Sets the password of the user of a session, and ends the user's other sessions and links. */
  setPassword(sessionId: string, passwordHash: string): Promise<void>; // not-found
}
