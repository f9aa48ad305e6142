import type { SelfDescription } from '../codec/domain.js';
import type { Log } from '../log.js';
import type { AgentState, Warning } from './status-types.js';

/** What the state of a network that is run follows from. */
export interface StandingFacts {
  readonly ended: AgentState | undefined;
  readonly stopping: boolean;
  /** The interface is there. */
  readonly up: boolean;
  readonly connected: boolean;
  /** The network was heard of, now or in an earlier run. */
  readonly known: boolean;
  /** It had ended as expired, and nobody has said yet that it is over. */
  readonly expired: boolean;
  readonly self: SelfDescription | undefined;
}

/** The `state` of `agent status`. */
export function stateOf({ ended, stopping, up, connected, known, expired, self }: StandingFacts): AgentState {
  if (ended) return ended;
  if (stopping) return 'stopped';
  if (!up) return 'starting';
  if (expired && !connected) return 'expired';
  if (self?.pending) return 'pending';
  if (connected) return 'running';
  // Right after a join nothing of the network is known yet: that is no outage.
  return known ? 'offline' : 'starting';
}

/** What an operator does for a node that waits. */
export const approvalText = (name: string): string => `waits for approval: warren node approve ${name}`;

/** That the key of this node expires soon; undefined: it does not. `now`: Unix milliseconds. */
export function keyWarning(self: SelfDescription | undefined, now: number): Warning | undefined {
  const { keyExpiresAt, keyWarningMs = 0 } = self ?? {};
  if (keyExpiresAt === undefined || keyExpiresAt - now > keyWarningMs) return undefined;
  const when = new Date(keyExpiresAt).toISOString();
  const todo = '`agent rotate-key` gives it a new one, `warren node extend` more time';
  return { code: 'key-expiring', message: `the key of this node expires at ${when}: ${todo}` };
}

/** Says once in the log that this node waits or was let in, and that its key expires. */
export class StandingLog {
  #pending = false;
  #warnedFor: number | undefined;

  constructor(private readonly log: Log) {}

  look(self: SelfDescription | undefined, now: number): void {
    if (!self) return;
    if (self.pending !== this.#pending) {
      this.log('info', self.pending ? `this node ${approvalText(self.name)}` : 'this node was approved');
      this.#pending = self.pending;
    }
    const warning = keyWarning(self, now);
    if (!warning || this.#warnedFor === self.keyExpiresAt) return;
    this.#warnedFor = self.keyExpiresAt;
    this.log('warn', warning.message);
  }
}
