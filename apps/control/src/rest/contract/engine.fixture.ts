import { randomBytes } from 'node:crypto';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';
import { CSRF_HEADER, csrfTokenOf, SESSION_COOKIE } from '../../sign-in/session-cookie.js';
import type { TestPlane } from '../../testing/control-plane.fixture.js';
import { FakeAgent } from '../../testing/fake-agent.fixture.js';
import { covers, SCOPES, type Scope } from '../scopes.js';

/** A request, without what its operation says already. */
export interface Request {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that is refused, and how. */
export interface Refused {
  readonly what: string;
  /** From the good request, which was not sent, and what is needed besides. */
  readonly request: (good: Request, world: World) => Request | Promise<Request>;
  readonly status: number;
  readonly code: string;
}

/**
 * What an operation promises. Everything that all operations have in common is tested from this and the OpenAPI
 * document: who may call, unknown and malformed ids, unknown fields, replays, stale ETags, pages.
 */
export interface Contract {
  /** Makes what the request needs and gives a request that succeeds; called anew for each case. */
  readonly good: (world: World) => Request | Promise<Request>;
  /** Of success; 409 for what the control plane can never give. */
  readonly status: 200 | 201 | 202 | 204 | 409;
  /** Looks at the answer: parsed JSON, or text. */
  readonly gives?: (answer: never, good: Request) => void;
  /** Bodies that are refused with 400 `bad-request`; each is laid over the good one. */
  readonly badBodies?: readonly object[];
  /** Query strings that are refused with 400 `bad-request`. */
  readonly badQueries?: readonly Record<string, string | number>[];
  readonly refused?: readonly Refused[];
  /** What an unknown id gets; 404 `not-found` unless said. `null`: nothing is unknown. */
  readonly unknown?: { readonly status: number; readonly code: string } | null;
  /** The answer never ends: only what comes before it is tested here. */
  readonly endless?: boolean;
  /** Who may call it besides who has an API key; `anybody`: needs none, `session`: only who has signed in. */
  readonly by?: 'anybody' | 'session';
  /** An Idempotency-Key is not heeded. */
  readonly unrepeatable?: boolean;
}

/** By operation id. */
export type Contracts = Readonly<Record<string, Contract>>;

interface Operation {
  readonly operationId: string;
  readonly security: readonly { readonly apiKey?: readonly Scope[]; readonly session?: readonly [] }[];
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: { readonly required?: boolean };
  readonly responses: Record<string, { readonly content?: Record<string, { schema: object }> }>;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
}
export interface Route {
  readonly method: string;
  /** With `{id}`. */
  readonly path: string;
  readonly operation: Operation;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Parsed, where it was JSON. */
  readonly json: unknown;
}

let count = 0;

/** A control plane that is asked as the document describes it; every answer is compared with the document. */
export class World {
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();
  readonly #keys = new Map<string, string>();

  private constructor(
    readonly plane: TestPlane,
    readonly document: Document,
  ) {
    this.#ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true });
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(document, 'openapi');
  }

  static async open(plane: TestPlane): Promise<World> {
    return new World(plane, (await plane.rest.app.inject('/api/openapi.json')).json());
  }

  get routes(): Route[] {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
    );
  }

  route(operationId: string): Route {
    const route = this.routes.find(({ operation }) => operation.operationId === operationId);
    if (!route) throw new Error(`no route has the operation id ${operationId}`);
    return route;
  }

  /** A name that nothing has. */
  name(prefix = 'x'): string {
    return `${prefix}-${++count}`;
  }

  publicKey(): string {
    return randomBytes(32).toString('base64');
  }

  /** Does an operation as administrator and gives its JSON; for what a request needs. */
  async make<T = { id: string }>(operationId: string, request: Request = {}): Promise<T> {
    const answer = await this.send(operationId, request);
    expect(answer.status, `${operationId} to prepare: ${answer.text}`).toBeLessThan(300);
    return answer.json as T;
  }

  /** A network of its own. */
  network(more: object = {}): Promise<{ id: string; name: string }> {
    const cidrs = [`10.${100 + (++count >> 8)}.${count & 255}.0/24`];
    return this.make('createNetwork', { body: { name: this.name('net'), cidrs, ...more } });
  }

  /** An active vanilla client of the network `default`. */
  member(more: object = {}): Promise<{ id: string; name: string }> {
    return this.make('createNode', { body: { name: this.name('node'), publicKey: this.publicKey(), ...more } });
  }

  /** The id of an agent of the network `default`, as its join left it. */
  async agent(): Promise<string> {
    const joined = await FakeAgent.join(await this.plane.token(), { name: this.name('agent') });
    joined.close();
    return joined.nodeId;
  }

  /** Of the key that is used unless said otherwise. */
  async firstKeyId(): Promise<string> {
    return (await this.plane.context.store.checkApiKey(this.plane.firstApiKey!))!.id;
  }

  /** The bearer secret of a key with these scopes. */
  async key(scopes: readonly string[]): Promise<string> {
    const name = scopes.join();
    const known = this.#keys.get(name);
    if (known) return known;
    const { secret } = await this.plane.context.store.createApiKey('contract', { scopes, expiresAt: null }, 'local');
    this.#keys.set(name, secret);
    return secret;
  }

  /** A key with every scope but those that cover `needed`. */
  keyWithout(needed: Scope): Promise<string> {
    return this.key(SCOPES.filter((scope) => !covers([scope], needed)));
  }

  /** Somebody who has signed in: the headers that a browser sends with a change. */
  async session(): Promise<{ readonly id: string; readonly headers: Record<string, string> }> {
    const { store } = this.plane.context;
    const opened = await store.openSession((await store.findUser('admin'))!, { address: '::1', userAgent: 'test' });
    const { session, secret } = opened!;
    const cookie = `${SESSION_COOKIE}=${secret}`;
    return { id: session.id, headers: { authorization: '', cookie, [CSRF_HEADER]: csrfTokenOf(secret) } };
  }

  /** Sends an operation, with the first API key unless `authorization` says otherwise, and checks the answer's shape. */
  async send(operationId: string, request: Request, method?: 'HEAD'): Promise<Answer> {
    const route = this.route(operationId);
    const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(request.params?.[name] ?? ''),
    );
    return this.sendTo(route, `${path}${queryOf(request)}`, request, method);
  }

  async sendTo(route: Route, url: string, { body, headers = {} }: Request, method?: 'HEAD'): Promise<Answer> {
    const { authorization = `Bearer ${this.plane.firstApiKey}`, ...rest } = headers;
    const raw = await this.plane.rest.app.inject({
      method: (method ?? route.method) as 'GET',
      url,
      headers: { ...(authorization === '' ? {} : { authorization }), ...rest },
      ...(body === undefined ? {} : { payload: body }),
    });
    const answer = {
      status: raw.statusCode,
      headers: raw.headers as Record<string, string>,
      text: raw.body,
      json: /json/.test(String(raw.headers['content-type'])) && raw.body !== '' ? raw.json() : undefined,
    };
    if (!method) this.#check(route, answer);
    return answer;
  }

  #check({ method, path, operation }: Route, { status, headers, text, json }: Answer): void {
    const where = `${method} ${path} → ${status}`;
    const key = operation.responses[String(status)] ? String(status) : 'default';
    expect(key !== 'default' || status >= 400, `${where} is not in the document: ${text}`).toBe(true);
    const { content } = operation.responses[key]!;
    if (!content) return void expect(text, `${where} has no content in the document`).toBe('');
    const type = String(headers['content-type']).split(';')[0]!;
    expect(Object.keys(content), `${where}: content type`).toContain(type);
    const validate = this.#validator(path, method, key, type);
    if (!validate(json ?? text))
      expect.fail(`${where}: ${this.#ajv.errorsText(validate.errors)}\n${text.slice(0, 2000)}`);
  }

  #validator(path: string, method: string, status: string, type: string): ValidateFunction {
    const parts = ['paths', path, method.toLowerCase(), 'responses', status, 'content', type, 'schema'];
    const pointer = parts.map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
    const $ref = `openapi#/${encodeURI(pointer)}`;
    const known = this.#validators.get($ref) ?? this.#ajv.compile({ $ref });
    this.#validators.set($ref, known);
    return known;
  }
}

export function queryOf({ query }: Request): string {
  const text = new URLSearchParams(
    Object.entries(query ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return text && `?${text}`;
}
