import { WarrenError } from '@warren/base';
import type { Membership } from '../state/membership.js';
import { callUnary, withControlClient } from './client.js';
import type { Credentials } from './credentials.js';

/** Refusals that mean that the control plane has already let the node go. */
const GONE = new Set(['node-revoked', 'node-expired', 'node-removed', 'node-unknown']);

/**
 * Tells the control plane that the node goes for good; one that is gone already is fine.
 * @throws WarrenError `control-unreachable` when no address answers, or what it refuses with.
 */
export async function leaveNetwork(credentials: Credentials, membership: Membership): Promise<void> {
  let failure: unknown;
  for (const address of membership.control.addresses) {
    try {
      if (await credentials.hasExpired()) await credentials.renew(address);
      const request = { nodeId: membership.nodeId };
      await withControlClient(await credentials.target(address), (client) => callUnary(client, client.leave, request));
      return;
    } catch (error) {
      if (error instanceof WarrenError && GONE.has(error.code)) return;
      failure = error;
    }
  }
  throw failure;
}
