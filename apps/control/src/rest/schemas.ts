import { z } from 'zod';
import { ConfSettingsChange, ConfSettingsView, HookView } from './conf-settings-schemas.js';
import { NetworkTimes, NodeTraits, TokenState, TokenTraits } from './lifecycle-schemas.js';
import {
  Cidr,
  Duration,
  EndpointText,
  isPrintable,
  Name,
  NOT_PRINTABLE,
  PublicKeyText,
  Reference,
  Role,
  Tag,
  Time,
} from './schema-texts.js';
import { SCOPES } from './scopes.js';

export const IdParams = z.object({ id: Reference });
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).optional(),
  cursor: z.string().min(1).max(512).optional(),
});
export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem; `code` is stable' });

const Milliseconds = z.number().int();

export const NetworkView = z
  .object({
    id: z.string(),
    name: z.string(),
    cidrs: z.array(z.string()),
    pools: z.array(z.string()).meta({ description: 'Addresses are handed out of these; empty: of all cidrs' }),
    mtu: z.number().int(),
    settings: ConfSettingsView.meta({ description: 'Defaults of the files of vanilla members' }),
    hooks: z.array(HookView).meta({ description: 'The commands among its settings' }),
    offlineToleranceMs: Milliseconds.meta({ description: '0: without limit' }),
    keyExpiryMs: Milliseconds.nullable(),
    keyRotationMs: Milliseconds.nullable(),
    ephemeralAfterMs: Milliseconds.nullable(),
    epoch: z.number().int(),
    revision: z.number().int(),
    createdAt: Time,
  })
  .meta({ id: 'Network' });

/** WireGuard needs 1280 inside for IPv6 (RFC 8200 §5); above 1500 no common path carries it. */
const Mtu = z.number().int().min(1280).max(1500);

export const Cidrs = z.array(Cidr).min(1).max(4);
export const Pools = z.array(z.string().max(64)).max(32).meta({
  description: 'Prefixes within cidrs out of which addresses are handed out; a family without any uses all its cidrs',
});
export const CreateNetwork = z.strictObject({
  name: Name,
  cidrs: Cidrs,
  mtu: Mtu.optional(),
  pools: Pools.optional(),
});
export const UpdateNetwork = z.strictObject({
  name: Name.optional(),
  mtu: Mtu.optional(),
  pools: Pools.optional(),
  ...NetworkTimes,
  settings: ConfSettingsChange.optional(),
});

export const Addresses = z
  .array(z.string().max(64))
  .min(1)
  .max(2)
  .meta({ description: 'One IPv4 address, one IPv6 address, or both, within the network' });

export const NodeView = z
  .object({
    id: z.string(),
    networkId: z.string(),
    network: z.string().meta({ description: 'Name of the network' }),
    name: z.string(),
    role: Role,
    kind: z.enum(['agent', 'vanilla']),
    status: z.enum(['pending', 'active', 'revoked', 'expired']),
    publicKey: z.string().nullable().meta({ description: 'null: a vanilla member whose key is still to be told' }),
    addresses: z.array(z.string()),
    endpoint: z.string().nullable(),
    listenPort: z.number().int().nullable(),
    online: z.boolean().nullable().meta({ description: 'Whether its agent is connected; null for vanilla members' }),
    unavailable: z.boolean().meta({ description: 'A bounce held for dead: nobody is homed there until it is back' }),
    lanClashes: z
      .array(z.string())
      .meta({ description: 'Networks of its host that overlap this one, while its agent is connected' }),
    tags: z.array(z.string()),
    ephemeral: z.boolean(),
    settings: ConfSettingsView,
    hooks: z.array(HookView).meta({ description: 'The commands among its settings' }),
    keyChangedAt: Time,
    keyExpiresAt: Time.nullable(),
    rotateGeneration: z
      .number()
      .int()
      .nullable()
      .meta({ description: 'Another key was asked for, and is still to come' }),
    overlapUntil: Time.nullable().meta({ description: 'Until when the key before this one is accepted, too' }),
    disabledAt: Time.nullable().meta({ description: 'A disabled node is pending again' }),
    cloneNoticedAt: Time.nullable().meta({ description: 'When a second copy of its state directory was noticed' }),
    configKeyCreatedAt: Time.nullable(),
    lastSeenAt: Time.nullable().meta({ description: 'When its agent was last connected, within a few minutes' }),
    agentVersion: z.string().nullable().meta({ description: 'null: no agent of it has connected' }),
    createdAt: Time,
    revokedAt: Time.nullable(),
  })
  .meta({ id: 'Node' });

export const NodeQuery = PageQuery.extend({
  network: Reference.optional(),
  status: z.enum(['pending', 'active', 'revoked', 'expired']).optional(),
  role: Role.optional(),
  kind: z.enum(['agent', 'vanilla']).optional(),
  tag: Tag.optional(),
  q: z
    .string()
    .max(128)
    .refine(isPrintable, NOT_PRINTABLE)
    .optional()
    .meta({ description: 'Part of a name, or a whole tag, key, address or id' }),
});
export const CreateNode = z.strictObject({
  network: Reference.default('default'),
  name: Name,
  role: Role.default('client'),
  publicKey: PublicKeyText.optional().meta({
    description: 'Made by whoever holds the private key, which is never sent here; absent: pending until it is told',
  }),
  settings: ConfSettingsChange.optional(),
  tags: z.array(Tag).max(32).default([]),
  endpoint: EndpointText.optional(),
  addresses: Addresses.optional(),
});
export const UpdateNode = z.strictObject({
  name: Name.optional(),
  endpoint: EndpointText.optional(),
  addresses: Addresses.optional(),
  publicKey: PublicKeyText.optional().meta({ description: 'Of a vanilla member: a first one makes it active' }),
  settings: ConfSettingsChange.optional(),
  ...NodeTraits,
});
export const CreatedNode = NodeView.extend({
  configKey: z.string().meta({ description: 'Reads this node’s configuration files and nothing else; shown once' }),
}).meta({ id: 'CreatedNode' });
export const UpdatedNode = NodeView.extend({
  interruption: z.string().nullable().meta({ description: 'Who is cut off by this change, and until when' }),
}).meta({ id: 'UpdatedNode' });
export const ConfigQuery = z.object({
  network: Reference.optional(),
  wait: z.coerce
    .number()
    .min(0)
    .max(60)
    .optional()
    .meta({ description: 'Seconds to wait until it differs from If-None-Match' }),
});

export const TokenView = z
  .object({
    id: z.string(),
    networkId: z.string(),
    name: z.string().nullable(),
    role: Role.nullable(),
    tags: z.array(z.string()),
    ephemeral: z.boolean(),
    approval: z.boolean().meta({ description: 'Who joins with it waits for approval' }),
    maxUses: z.number().int().nullable(),
    uses: z.number().int(),
    state: TokenState,
    expiresAt: Time.nullable(),
    revokedAt: Time.nullable(),
    createdAt: Time,
  })
  .meta({ id: 'Token' });
export const CreatedToken = TokenView.extend({
  token: z.string().meta({ description: 'For `agent join --token`; shown once' }),
}).meta({ id: 'CreatedToken' });
const MaxUses = z.number().int().min(1).max(1_000_000).nullable();
export const CreateToken = z
  .strictObject({
    network: Reference.default('default'),
    ...TokenTraits,
    role: Role.optional(),
    tags: z.array(Tag).max(32).default([]),
    ephemeral: z.boolean().default(false),
    maxUses: MaxUses.optional().meta({ description: 'null: without limit; absent: 1' }),
    uses: MaxUses.optional().meta({ description: 'The same as maxUses, by the name that the command has for it' }),
    expires: Duration.nullable().default('1h').meta({ description: 'From now, such as 1h; null: never' }),
  })
  .refine(({ uses, maxUses }) => uses === undefined || maxUses === undefined, 'give uses or maxUses, not both');

export const ApiKeyView = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    expiresAt: Time.nullable(),
    createdAt: Time,
    lastUsedAt: Time.nullable(),
  })
  .meta({ id: 'ApiKey' });
export const CreatedApiKey = ApiKeyView.extend({
  secret: z.string().meta({ description: 'The bearer secret; shown once' }),
}).meta({ id: 'CreatedApiKey' });
export const CreateApiKey = z.strictObject({
  name: z.string().trim().min(1).max(64).refine(isPrintable, NOT_PRINTABLE),
  scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length).default(['admin']).meta({
    description: 'admin: everything; X:write implies X:read. A key makes only keys that may do no more than it',
  }),
  expires: Duration.nullable().default(null).meta({
    description: 'From now, such as 90d; null: never. A key that expires makes only keys that expire no later',
  }),
});

export const SignalServerView = z
  .object({
    id: z.string(),
    kind: z
      .enum(['control', 'enrolled'])
      .meta({ description: 'Inside a control plane, or alone (`warren signal`); bounces are not listed here' }),
    region: z.string(),
    udp: z.string().nullable(),
    tls: z.array(z.string()),
    key: z.string().meta({ description: 'base64 of its X25519 public key' }),
    seenAt: Time.meta({ description: 'When it last spoke with a control plane; it runs without' }),
    load: z
      .object({
        clients: z.number().int().meta({ description: 'Agents registered there' }),
        relayedBytes: z.number().int(),
        relayedRate: z.number().int().meta({ description: 'Bytes a second' }),
      })
      .nullable()
      .meta({ description: 'null: it has not said' }),
    createdAt: Time,
  })
  .meta({ id: 'SignalServer' });
export const SignalTokenView = z
  .object({
    id: z.string(),
    region: z.string(),
    used: z.boolean(),
    expiresAt: Time.nullable(),
    revokedAt: Time.nullable(),
    createdAt: Time,
  })
  .meta({ id: 'SignalToken' });
export const CreatedSignalToken = SignalTokenView.extend({
  token: z.string().meta({ description: 'For `warren signal --token`; shown once' }),
}).meta({ id: 'CreatedSignalToken' });
export const CreateSignalToken = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/i, 'must be letters, digits and inner . _ -, at most 63'),
  expires: Duration.nullable().default('1h').meta({ description: 'From now, such as 1h; null: never' }),
});

export const AuditView = z
  .object({
    id: z.string(),
    at: Time,
    actor: z.string(),
    action: z.string(),
    networkId: z.string().nullable(),
    subject: z.string(),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'AuditEntry' });

export const HealthView = z
  .object({
    uptimeMs: z.number().int(),
    databaseLatencyMs: z.number().nullable().meta({ description: 'Of a round trip now; null: it does not answer' }),
    agentsConnected: z.number().int(),
    eventStreams: z.number().int(),
    memory: z.object({
      rssBytes: z.number().int(),
      heapUsedBytes: z.number().int(),
      heapLimitBytes: z.number().int(),
    }),
    eventLoopDelayMs: z
      .object({ mean: z.number(), p99: z.number(), max: z.number() })
      .meta({ description: 'By how much timers were late in the last half minute or so' }),
    telemetry: z.object({
      links: z.number().int(),
      reports: z.number().int().meta({ description: 'Reports of agents since the start' }),
      dropped: z.number().int().meta({ description: 'Entries of reports that were not taken' }),
    }),
  })
  .meta({ id: 'Health', description: 'Of the process that answers' });

export const StatusView = z
  .object({
    version: z.string(),
    startedAt: Time,
    database: z.enum(['embedded', 'external']),
    http: z.string(),
    agents: z.array(z.string()).meta({ description: 'Addresses that join tokens carry' }),
    stun: z.string().meta({ description: 'Where this process serves STUN, signalling and relay by UDP' }),
    relay: z.object({
      sessions: z.number().int(),
      relayedDatagrams: z.number(),
      relayedBytes: z.number(),
      drops: z.record(z.string(), z.number()),
    }),
    signalServers: z.array(SignalServerView),
    health: HealthView,
    networks: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        cidrs: z.array(z.string()),
        revision: z.number().int(),
        connected: z.number().int(),
        nodes: z
          .object({
            active: z.number().int(),
            pending: z.number().int(),
            expired: z.number().int(),
            revoked: z.number().int(),
          })
          .meta({ description: 'How many it has, by status' }),
      }),
    ),
  })
  .meta({ id: 'Status' });
