import type { RefusalReason } from './relay-client-api.js';

/** What a refusal means to whoever runs the agent. */
export const REFUSALS: Record<RefusalReason, string> = {
  'ticket-bad': 'it does not accept our ticket; is it a server of this network?',
  'ticket-expired': 'our ticket has expired; a new one comes as soon as the control plane is reached',
  revoked: 'this node was revoked',
  full: 'it is full',
  'relay-id-taken': 'another host is registered under the same node',
};
