import { z } from 'zod';
import { Reference, Role, Time } from './schema-texts.js';

/** What agents report of the mesh: seen, never stored. */

const PathKind = z.enum(['direct', 'relay', 'bounce', 'none']);
const Transport = z.enum(['udp', 'tls']).nullable();
const Rate = z.number().int().meta({ description: 'Bytes a second inside the tunnel' });
const Bytes = z.number().int();
const RttMs = z.number().nullable().meta({ description: 'null: not measured' });
const Family = z.enum(['ipv4', 'ipv6']).nullable().meta({ description: 'Of a direct path' });
const Via = z.string().nullable().meta({ description: 'Name of the signal server that relays, or of the bounce' });
const Reason = z.string().nullable().meta({ description: 'Why it is not direct; null when it is' });
const PathCounts = z
  .object({ direct: z.number().int(), relay: z.number().int(), bounce: z.number().int(), none: z.number().int() })
  .meta({ description: 'Its links by kind' });

export const TopologyQuery = z.object({
  traffic: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'true: with the traffic of each node in the last half hour' }),
});

export const TopologyNode = z
  .object({
    id: z.string(),
    name: z.string(),
    role: Role,
    kind: z.enum(['agent', 'vanilla']),
    status: z.enum(['pending', 'active', 'expired']),
    tags: z.array(z.string()),
    addresses: z.array(z.string()),
    endpoint: z.string().nullable(),
    online: z.boolean().nullable().meta({
      description:
        'Its agent is connected; of a vanilla member: its peers report a handshake of the last three minutes. null: nobody has seen it',
    }),
    lastSeenAt: Time.nullable(),
    version: z.string().nullable().meta({ description: 'Of its agent' }),
    home: z.string().nullable().meta({ description: 'Id of the bounce through which it is reached' }),
    disabled: z.boolean(),
    nat: z.string().nullable().meta({ description: 'Its mapping (RFC 4787), such as endpoint-independent' }),
    reflexive: z.array(z.string()).meta({ description: '`address:port`, as servers see its socket' }),
    rxRate: Rate,
    txRate: Rate,
    paths: PathCounts,
    warnings: z.array(z.object({ code: z.string(), message: z.string() })),
    traffic: z
      .array(z.number())
      .optional()
      .meta({ description: 'Bytes a minute, both ways, oldest first; at most 30' }),
  })
  .meta({ id: 'TopologyNode' });

export const TopologyLink = z
  .object({
    a: z.string().meta({ description: 'The lesser node id' }),
    b: z.string(),
    kind: PathKind,
    lan: z.boolean(),
    family: Family,
    transport: Transport,
    via: Via,
    rttMs: RttMs,
    rate: Rate.meta({ description: 'Bytes a second, both ways' }),
    since: Time.nullable(),
    reason: Reason,
    agreed: z.boolean().meta({
      description: 'Both ends report this kind, or one end only is heard; else the worse of the two is shown',
    }),
  })
  .meta({ id: 'TopologyLink' });

export const TopologyView = z
  .object({
    networkId: z.string(),
    revision: z.number().int(),
    at: Time,
    nodes: z.array(TopologyNode),
    links: z.array(TopologyLink),
  })
  .meta({ id: 'Topology', description: 'A network as its agents see it now' });

export const NodePath = z
  .object({
    peer: z.object({ id: z.string(), name: z.string() }),
    kind: PathKind,
    lan: z.boolean(),
    family: Family,
    transport: Transport,
    endpoint: z.string().nullable().meta({ description: '`address:port` of a direct path' }),
    via: Via,
    rttMs: RttMs,
    since: Time.nullable(),
    reason: Reason,
    lastHandshake: Time.nullable(),
    rxBytes: Bytes,
    txBytes: Bytes,
  })
  .meta({ id: 'NodePath' });

export const NodeTelemetryView = z
  .object({
    online: z.boolean().nullable(),
    connectedSince: Time.nullable(),
    lastSeenAt: Time.nullable(),
    version: z.string().nullable(),
    address: z.string().nullable().meta({ description: 'Whence its stream comes' }),
    nat: z
      .object({
        mapping: z.string(),
        filtering: z.string(),
        udp: z.boolean().nullable(),
        reflexive: z.array(z.string()),
        portMapping: z.string().nullable().meta({ description: '`pcp`, `nat-pmp`, `upnp`' }),
        homes: z.array(z.string()).meta({ description: 'Signal servers where it is registered, the nearest first' }),
      })
      .nullable(),
    rxBytes: Bytes,
    txBytes: Bytes,
    rxRate: Rate,
    txRate: Rate,
    paths: z.array(NodePath),
    traffic: z.object({
      intervalMs: z.number().int(),
      points: z
        .array(z.tuple([z.number(), z.number(), z.number()]))
        .meta({ description: 'Unix milliseconds, bytes a second received, and sent; oldest first' }),
    }),
  })
  .meta({ id: 'NodeTelemetry', description: 'What its agent reports, and its peers of a vanilla member' });

export const ExplainQuery = z.object({
  network: Reference.optional(),
  peer: Reference.meta({ description: 'Id of the other node, or its name' }),
});

const Text = z.string().max(4096);
/** A browser fails at what is no time. */
const SaidTime = Time.max(64).refine((text) => !Number.isNaN(Date.parse(text)), 'must be a time');
const NatPair = z.object({ mapping: Text, filtering: Text });

export const ExplanationView = z
  .object({
    node: z.object({
      id: Text,
      name: Text,
      role: Text,
      addresses: z.array(Text),
      online: z.boolean(),
      kind: z.enum(['agent', 'vanilla']),
    }),
    path: z.object({
      kind: PathKind,
      endpoint: Text.nullable(),
      via: Text.nullable(),
      transport: Transport,
      rttMs: z.number().nullable(),
      since: SaidTime.nullable(),
      reason: Text.nullable(),
    }),
    why: Text,
    advice: Text.nullable(),
    candidates: z.array(
      z.object({
        kind: Text,
        endpoint: Text,
        result: Text,
        rttMs: z.number().nullable(),
        probes: z.number(),
        used: z.boolean(),
      }),
    ),
    nat: z.object({ local: NatPair, remote: NatPair.nullable() }),
    homes: z.object({ local: z.array(Text), remote: z.array(Text) }),
    servers: z.array(
      z.object({
        id: Text,
        name: Text,
        registered: z.boolean(),
        transport: Transport,
        home: z.boolean(),
        rttMs: z.number().nullable(),
        reflexive: Text.nullable(),
        failure: Text.nullable(),
      }),
    ),
  })
  .meta({ id: 'Explanation', description: 'What `agent explain` says of a path, asked of the agent now' });
