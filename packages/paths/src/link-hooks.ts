import type { Endpoint, Instant } from '@warren/base';
import type { LocalNat } from './path-manager-api.js';
import type { ServerLink } from './server-link.js';

/** What the registration at a server tells its owner. */
export interface LinkHooks {
  readonly nat: LocalNat;
  /** A session stands, by another transport, or it is another session. */
  linkUp(link: ServerLink, now: Instant): void;
  linkDown(link: ServerLink, now: Instant): void;
  /** Nothing was heard lately, though something was sent; or it was heard again. */
  linkDoubted(link: ServerLink, now: Instant): void;
  /** The server sees us elsewhere than before. */
  reflexiveChanged(link: ServerLink, before: Endpoint | undefined, now: Instant): void;
  /** How far a server is at which we are not registered. */
  linkMeasured(link: ServerLink, now: Instant): void;
  notHere(link: ServerLink, destination: Uint8Array, now: Instant): void;
}
