import { WarrenError } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { proveKeyPossession } from '@warren/identity';
import type { AgentServiceClient, SelfConfig } from '@warren/proto';
import type { Membership } from '../state/membership.js';
import type { NodeKeys } from '../state/node-keys.js';
import { callUnary, withControlClient } from './client.js';
import type { Credentials } from './credentials.js';
import { recordOf, recordToWire } from './join-exchange.js';

/** What is asked for: the keys as they are from then on. */
export interface RotationRequest {
  readonly keys: NodeKeys;
  readonly compromised: boolean;
  /** Called before the request that may take effect though its answer is lost. */
  readonly onAsked: () => void;
}

/**
 * Has the control plane take another WireGuard key; the same again is fine.
 * @throws RefusedError with its code; WarrenError `control-unreachable` when no address answers, or as `translateCallError`.
 */
export async function exchangeRotation(
  credentials: Credentials,
  membership: Membership,
  request: RotationRequest,
): Promise<SelfConfig> {
  let failure: unknown;
  for (const address of membership.control.addresses) {
    try {
      if (await credentials.hasExpired()) await credentials.renew(address);
      return await withControlClient(await credentials.target(address), (client) =>
        askRotation(client, membership, request),
      );
    } catch (error) {
      failure = error;
      if (!(error instanceof WarrenError && error.code === 'control-unreachable')) break;
    }
  }
  throw failure;
}

async function askRotation(
  client: AgentServiceClient,
  { nodeId, networkId }: Membership,
  { keys, compromised, onAsked }: RotationRequest,
): Promise<SelfConfig> {
  const { challenge, challengeKey } = await callUnary(client, client.prepareRotation, { nodeId });
  const signed = recordOf(keys, networkId);
  const { identityKey, record } = signed;
  const transcript = { challenge, identityKey, record, tokenId: nodeId };
  const possessionProof = Buffer.from(proveKeyPossession(nobleProvider, keys.wireguard, challengeKey, transcript));
  onAsked();
  const request = { nodeId, record: recordToWire(signed), challenge, possessionProof, compromised };
  const { self } = await callUnary(client, client.rotateKey, request);
  if (self?.nodeId === nodeId) return self;
  throw new WarrenError('protocol-error', 'the control plane answered with nonsense: update agent or control plane');
}
