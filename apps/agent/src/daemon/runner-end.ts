import { WarrenError } from '@warren/base';
import type { SessionEnd } from '../control/session.js';
import type { AgentState } from './status-types.js';

/** Why a network is no longer run; undefined: it was stopped. */
export interface RunnerEnd {
  readonly state: AgentState;
  readonly error: WarrenError;
}

/** What is left of a node for which the control plane has ended, by the code that it said. */
const END_STATES: Readonly<Record<string, AgentState>> = {
  'node-revoked': 'revoked',
  'node-expired': 'expired',
  'node-removed': 'expired',
};

/** The end that follows from what the control plane said: that this node is out, or that it runs twice. */
export function runnerEnd({ code, message }: SessionEnd): RunnerEnd {
  const state = END_STATES[code] ?? 'stopped';
  if (code !== 'clone') {
    return { state, error: new WarrenError(code, code === 'node-removed' ? message : `${state}: ${message}`) };
  }
  const what = 'another agent runs with a copy of this state directory, so this one stops';
  return {
    state,
    error: new WarrenError(
      code,
      `${what}: stop one of the two; to keep both, join with a new token and another --state-dir`,
    ),
  };
}
