import { z } from 'zod';
import { Duration, PlainText, Reference, Role, Tag } from './schema-texts.js';

/** What of a network is a time. */
export const NetworkTimes = {
  offlineTolerance: Duration.nullable()
    .optional()
    .meta({ description: 'How long agents go on without the control plane; null: without limit' }),
  keyExpiry: Duration.nullable().optional().meta({
    description:
      'The life of agents’ WireGuard keys; null: for ever. Keys that are older than that get the time of warning: a tenth of it, at most a week',
  }),
  keyRotation: Duration.nullable()
    .optional()
    .meta({ description: 'The age at which agents change their key by themselves; null: never' }),
  ephemeralAfter: Duration.nullable()
    .optional()
    .meta({ description: 'How long ephemeral nodes may be gone; null: as the control plane is set' }),
};

/** What of any node can be set. A role but client needs an endpoint. */
export const NodeTraits = {
  role: Role.optional(),
  tags: z.array(Tag).max(32).optional().meta({ description: 'All of them: what is left out is taken away' }),
  listenPort: z.number().int().min(0).max(65_535).optional().meta({
    description: 'Vanilla members only: an agent chooses its port on its host',
  }),
};

export const ExtendNode = z.strictObject({
  expires: Duration.nullable()
    .optional()
    .meta({ description: 'From now, such as 90d; null: never; absent: as the network says' }),
});

export const NodeByName = z.object({ network: Reference.optional() });

/** Whether a token lets anybody in, and if not, why. */
export const TokenState = z.enum(['usable', 'used-up', 'expired', 'revoked']);
/** Which tokens a list is of. */
export const TokenFilter = { network: Reference.optional(), state: TokenState.optional() };
/** What a token has besides what it gives its nodes. */
export const TokenTraits = {
  name: PlainText.optional().meta({ description: 'What it is for, for people' }),
  approval: z.boolean().default(false).meta({ description: 'Who joins with it waits for approval' }),
};
