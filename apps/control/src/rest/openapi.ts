import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyContextConfig } from 'fastify';
import { createJsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { SESSION_COOKIE } from '../sign-in/session-cookie.js';
import { VERSION } from '../version.js';
import { type Api, PUBLIC } from './context.js';
import { operationId } from './operation-id.js';
import { SCOPES } from './scopes.js';

type TransformObject = NonNullable<FastifyDynamicSwaggerOptions['transformObject']>;
type Description = Extract<ReturnType<TransformObject>, { openapi?: string }>;

/** What we touch of an operation; the public validator in the tests judges the whole. */
interface Operation {
  operationId?: string;
  security?: object[];
  parameters?: object[];
  responses?: Record<string, { headers?: object; description?: string; content?: object }>;
}

const INFO = {
  title: 'Warren',
  version: VERSION,
  description:
    'The control plane of a WireGuard mesh. Errors are RFC 9457 problems with a stable `code`. Lists come page by ' +
    'page: ask again with `cursor` set to `nextCursor` until that is null. An API key does what its scopes allow; ' +
    'the scope that an operation needs is named in its security requirement.',
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
};

const header = (name: string, description: string) => ({
  in: 'header',
  name,
  required: false,
  description,
  schema: { type: 'string', minLength: 1, maxLength: 255 },
});
const IF_NONE_MATCH = header('If-None-Match', 'ETag of what the caller has: 304 while that is still so');
const IF_MATCH = header('If-Match', 'ETag of what the caller has read: 412 `etag-mismatch` when it has changed since');
const IDEMPOTENCY_KEY = header(
  'Idempotency-Key',
  'A repeated request with the same key and body is answered again, not done again',
);
const LAST_EVENT_ID = header(
  'Last-Event-ID',
  'The id of the last event that the caller has: the stream goes on after it',
);
const ETAG = { ETag: { description: 'Changes with the content', schema: { type: 'string' } } };

const TAGS = [
  { name: 'networks' },
  { name: 'nodes' },
  { name: 'configuration files', description: 'For hosts that run an official WireGuard: `curl` and `wg` are enough' },
  { name: 'config keys', description: 'Read the configuration files of one node' },
  { name: 'preshared keys', description: 'Of pairs with a vanilla member' },
  { name: 'telemetry', description: 'What agents report of the mesh now; nothing of it is stored' },
  { name: 'join tokens' },
  { name: 'signal servers' },
  { name: 'API keys' },
  { name: 'sessions', description: 'Of people who sign in to the dashboard' },
  { name: 'events' },
  { name: 'audit' },
  { name: 'status' },
];

/**
 * The page's own files and nothing else; its icons set styles in place. The plugin's own policy would also turn requests
 * into https, which a control plane without a TLS proxy does not speak.
 */
const DOCS_POLICY = [
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:",
  "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
].join('; ');

/** Serves the description of all routes that are registered after it, and pages to browse it. */
export async function documentation(app: Api): Promise<void> {
  const zodTransform = createJsonSchemaTransform({
    skipList: ['/', '/healthz', '/readyz', '/metrics', '/api/openapi.json', '/api/docs/*'],
  });
  const unrepeatable = new Set<string>();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: INFO,
      servers: [{ url: '/' }],
      tags: TAGS,
      components: {
        securitySchemes: {
          apiKey: {
            type: 'http',
            scheme: 'bearer',
            description: `\`warren apikey create\`. Scopes: ${SCOPES.map((scope) => `\`${scope}\``).join(', ')}.`,
          },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: SESSION_COOKIE,
            description:
              'Of who has signed in; may do everything. A request that changes something also needs the header ' +
              '`X-Warren-Csrf` with the `csrfToken` of `GET /api/v1/session`.',
          },
        },
      },
    },
    transform: (input) => {
      const transformed = zodTransform(input);
      const { route } = input;
      if (!transformed.schema || transformed.schema.hide) return transformed;
      const { scope, repeatable } = route.config ?? {};
      const security = securityOf(scope);
      const id = operationId([route.method].flat()[0]!, route.url);
      if (repeatable === false) unrepeatable.add(id);
      return { ...transformed, schema: { operationId: id, security, ...transformed.schema } };
    },
    transformObject: (input) =>
      describeHeaders(withoutUnused(jsonSchemaTransformObject(input) as Description), unrepeatable),
  });
  await app.register(swaggerUi, { routePrefix: '/api/docs', staticCSP: DOCS_POLICY });
  app.get('/api/openapi.json', { config: PUBLIC, schema: { hide: true } }, async () => app.swagger());
}

function securityOf(scope: FastifyContextConfig['scope']): Record<string, string[]>[] {
  if (scope === undefined || scope === 'public') return [];
  return scope === 'session' ? [{ session: [] }] : [{ apiKey: [scope] }, { session: [] }];
}

/** Every named schema is listed as it is sent and as it is received; most are never received. */
function withoutUnused(document: Description): Description {
  const schemas: Record<string, unknown> = { ...document.components?.schemas };
  const used = new Set<string>();
  const visit = (part: unknown): void => {
    for (const [, name] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (used.has(name!)) continue;
      used.add(name!);
      visit(schemas[name!]);
    }
  };
  visit(document.paths ?? {});
  const kept = Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
  return { ...document, components: { ...document.components, schemas: kept } } as Description;
}

/** Anybody may ask; it has no ETag. */
const isOpen = ({ security }: Operation): boolean => security?.length === 0;
const isStream = ({ responses }: Operation): boolean => 'text/event-stream' in (responses?.['200']?.content ?? {});

function headersOf(method: string, operation: Operation, repeatable: boolean): object[] {
  if (method === 'get') return isStream(operation) ? [LAST_EVENT_ID] : isOpen(operation) ? [] : [IF_NONE_MATCH];
  return [...(repeatable ? [IDEMPOTENCY_KEY] : []), ...(method === 'post' ? [] : [IF_MATCH])];
}

/** What hooks do for every route is said here once, too. @param unrepeatable operation ids */
function describeHeaders(document: Description, unrepeatable: ReadonlySet<string>): Description {
  for (const item of Object.values(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(item as Record<string, Operation>)) {
      const headers = headersOf(method, operation, !unrepeatable.has(operation.operationId ?? ''));
      operation.parameters = [...(operation.parameters ?? []), ...headers];
      const responses = operation.responses ?? {};
      for (const [status, response] of Object.entries(responses)) {
        if (response.description === 'Default Response') response.description = status === '201' ? 'Made' : 'Done';
        if (method === 'get' && status === '200' && !isStream(operation) && !isOpen(operation))
          response.headers = { ...response.headers, ...ETAG };
      }
      if (method === 'get' && !isStream(operation) && !isOpen(operation))
        responses['304'] ??= { description: 'The caller has it already', headers: ETAG };
    }
  }
  return document;
}
