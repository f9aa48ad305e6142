import { z } from 'zod';
import { Reference } from './schema-texts.js';
import { PageQuery } from './schemas.js';

const Time = z.iso.datetime({ offset: true });

export const EventQuery = z.object({
  network: Reference.optional().meta({ description: 'Only events of this network' }),
  telemetry: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'true: also `topology.links` and `topology.nodes`; needs nodes:read, too' }),
  lastEventId: z
    .string()
    .max(64)
    .optional()
    .meta({ description: 'The same as the header Last-Event-ID, for callers that cannot send it' }),
});

export const AuditQuery = PageQuery.extend({
  network: Reference.optional().meta({ description: 'Its id finds what happened in a network that is gone, too' }),
  action: Reference.optional().meta({
    description: 'Such as node.join; all that begin so with a dot at its end: node.',
  }),
  actor: z.string().min(1).max(128).optional().meta({ description: 'Such as local or apikey:ID' }),
  subject: z.string().min(1).max(128).optional().meta({ description: 'Id of what it was done to' }),
  since: Time.optional(),
  until: Time.optional(),
});
