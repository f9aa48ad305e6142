import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { FakeAgent, type FakeKeys, makeKeys } from '../testing/fake-agent.fixture.js';
import type { RestAnswer, ServedPlane } from '../testing/served-plane.fixture.js';

/** A node as the control plane said it is. */
export interface KnownNode {
  readonly id: string;
  readonly keys: FakeKeys;
  readonly agent: FakeAgent;
  name: string;
  revoked: boolean;
}

/** A token as the control plane said it is. */
export interface KnownToken {
  readonly id: string;
  readonly text: string;
  /** Nodes that joined with it. */
  uses: number;
  revoked: boolean;
}

const AGAIN = 100;
/** Longer than any outage of a test. */
const PATIENCE = 90_000;
/** What may be asked again: the answer was lost, or there was nobody to give one. */
const PASSING = /^(database-unavailable|internal|draining|grpc-(1|2|4|14)\b)/;

/**
 * Writes by REST and gRPC as operators and hosts do, several at once, and remembers exactly what was acknowledged.
 * Whatever got no answer is asked again, the same, until it gets one.
 */
export class Writer {
  readonly nodes = new Map<string, KnownNode>();
  readonly tokens = new Map<string, KnownToken>();
  /** Acknowledged changes, by kind. */
  readonly acknowledged: Record<string, number> = {};
  /** Answers that were lost and asked for again. */
  lost = 0;
  readonly #busy = new Set<string>();
  readonly #running: Promise<void>[] = [];
  #stopping = false;
  #names = 0;

  constructor(
    private readonly plane: ServedPlane,
    private readonly random: () => number,
    private readonly onJoin: (node: KnownNode) => void,
  ) {}

  /** Changes acknowledged so far. */
  get total(): number {
    return Object.values(this.acknowledged).reduce((sum, count) => sum + count, 0);
  }

  /** Begins to write, `parallel` things at a time. */
  start(parallel: number): void {
    this.#stopping = false;
    for (let i = 0; i < parallel; i++) this.#running.push(this.#work());
  }

  /** Everything that was begun is acknowledged when this resolves. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running.splice(0));
  }

  /** A token with uses without limit. */
  async createToken(): Promise<KnownToken> {
    const { body } = await this.#rest('POST', '/tokens', { maxUses: null, expires: '1h' });
    const { id, token: text } = body as { id: string; token: string };
    const token = { id, text, uses: 0, revoked: false };
    this.tokens.set(id, token);
    this.#count('token create');
    return token;
  }

  async join(token: KnownToken): Promise<KnownNode> {
    const keys = makeKeys();
    const name = this.#freshName();
    const agent = await this.#again(() => FakeAgent.join(token.text, { name, keys }));
    const node = { id: keys.nodeId, keys, agent, name, revoked: false };
    this.nodes.set(node.id, node);
    token.uses += 1;
    this.#count('join');
    this.onJoin(node);
    return node;
  }

  async #work(): Promise<void> {
    while (!this.#stopping) {
      const dice = this.random();
      if (dice < 0.45) await this.#withOne(this.#livingTokens(), (token) => this.join(token), true);
      else if (dice < 0.7) await this.#withOne(this.#livingNodes(), (node) => this.#rename(node));
      else if (dice < 0.8) await this.#withOne(this.#livingNodes(), (node) => this.#revoke(node));
      else if (dice < 0.93) await this.createToken();
      else await this.#withOne(this.#livingTokens().slice(1), (token) => this.#revokeToken(token));
    }
  }

  async #rename(node: KnownNode): Promise<void> {
    const name = this.#freshName();
    await this.#rest('PATCH', `/nodes/${node.id}`, { name });
    node.name = name;
    this.#count('rename');
  }

  async #revoke(node: KnownNode): Promise<void> {
    await this.#rest('POST', `/nodes/${node.id}/revoke`);
    node.revoked = true;
    this.#count('revoke');
  }

  async #revokeToken(token: KnownToken): Promise<void> {
    await this.#rest('DELETE', `/tokens/${token.id}`);
    token.revoked = true;
    this.#count('token revoke');
  }

  #livingNodes(): KnownNode[] {
    return [...this.nodes.values()].filter((node) => !node.revoked);
  }
  #livingTokens(): KnownToken[] {
    return [...this.tokens.values()].filter((token) => !token.revoked);
  }

  /** One thing has one writer at a time, so that what it is after an answer is beyond doubt; `shared` ones may have more. */
  async #withOne<T extends { id: string }>(
    candidates: readonly T[],
    work: (one: T) => Promise<unknown>,
    shared = false,
  ): Promise<void> {
    const free = candidates.filter(({ id }) => !this.#busy.has(id));
    const one = shared ? free[0] : free[Math.floor(this.random() * free.length)];
    if (!one) return void (await delay(5));
    if (shared) return void (await work(one));
    this.#busy.add(one.id);
    try {
      await work(one);
    } finally {
      this.#busy.delete(one.id);
    }
  }

  /** The same request with the same Idempotency-Key until it is answered. @throws Error for an answer that is a refusal. */
  #rest(method: string, path: string, body?: unknown): Promise<RestAnswer> {
    let key = randomUUID();
    return this.#again(async () => {
      const answer = await this.plane.rest(method, path, body, key);
      if (answer.status < 300) return answer;
      const { code } = answer.body as { code?: string };
      // Done before the kill, and what it was answered is lost: only a token's secret would be missed.
      if (code === 'idempotency-answer-lost' && path !== '/tokens') return answer;
      if (code === 'idempotency-answer-lost') key = randomUUID();
      const passing = answer.status >= 500 || code?.startsWith('idempotency-');
      throw new Error(passing ? 'database-unavailable' : `${method} ${path}: ${answer.status} ${code}`);
    });
  }

  async #again<T>(ask: () => Promise<T>): Promise<T> {
    for (const deadline = Date.now() + PATIENCE; ; await delay(AGAIN)) {
      try {
        return await ask();
      } catch (error) {
        const { message, name, code } = error as Error & { code?: string };
        // No code of ours: nobody listened, or the connection broke.
        const unanswered =
          name === 'TypeError' || name === 'TimeoutError' || code !== undefined || PASSING.test(message);
        if (!unanswered || Date.now() > deadline) throw error;
        this.lost += 1;
      }
    }
  }

  #freshName(): string {
    this.#names += 1;
    return `n${this.#names}`;
  }

  #count(kind: string): void {
    this.acknowledged[kind] = (this.acknowledged[kind] ?? 0) + 1;
  }
}
