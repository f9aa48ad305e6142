import { AgentServiceService } from '@warren/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../testing/control-plane.fixture.js';
import { FakeAgent, unary } from '../testing/fake-agent.fixture.js';
import { RPC_SCOPES } from './rpc.js';

let plane: TestPlane;

beforeAll(async () => {
  plane = await startTestPlane();
});
afterAll(() => plane?.stop());

describe('every way in declares who may use it (invariant 13)', () => {
  it('every RPC has a scope', () => {
    expect(Object.keys(RPC_SCOPES).sort()).toEqual(Object.keys(AgentServiceService).sort());
  });

  it('RPCs of agents refuse whoever has no certificate; those of joining refuse whoever has no token', async () => {
    const agent = await FakeAgent.join(await plane.token(), { name: 'somebody' });
    const client = agent.client(null);
    const nobody = { tokenId: '', tokenSecret: Buffer.alloc(0) };
    const calls = {
      prepareJoin: () => unary((done) => client.prepareJoin({ ...nobody, wireguardKey: Buffer.alloc(0) }, done)),
      join: () => unary((done) => client.join({ ...agent.request, ...nobody }, done)),
      renew: () =>
        unary((done) =>
          client.renew(
            {
              nodeId: agent.nodeId,
              identityKey: agent.request.record!.identityKey,
              signedAt: Date.now(),
              signature: Buffer.alloc(64),
            },
            done,
          ),
        ),
      leave: () => unary((done) => client.leave({ nodeId: agent.nodeId }, done)),
      enrollSignal: () => unary((done) => client.enrollSignal({ ...nobody, claim: undefined }, done)),
      renewSignal: () =>
        unary((done) => client.renewSignal({ serverId: 'control', claim: undefined, load: undefined }, done)),
      prepareRotation: () => unary((done) => client.prepareRotation({ nodeId: agent.nodeId }, done)),
      rotateKey: () =>
        unary((done) =>
          client.rotateKey(
            {
              nodeId: agent.nodeId,
              record: undefined,
              challenge: Buffer.alloc(0),
              possessionProof: Buffer.alloc(0),
              compromised: false,
            },
            done,
          ),
        ),
      sync: async () => {
        throw new Error((await agent.sync({}, null).synced()).ended);
      },
    } satisfies Record<keyof typeof RPC_SCOPES, () => Promise<unknown>>;
    const codes: Record<string, string> = {};
    for (const [name, call] of Object.entries(calls))
      codes[name] = await call().then(String, (error: Error) => error.message);
    agent.close();
    expect(codes).toEqual({
      prepareJoin: 'token-unknown',
      join: 'token-unknown',
      renew: 'renewal-bad',
      leave: 'certificate-required',
      enrollSignal: 'token-unknown',
      renewSignal: 'claim-bad',
      prepareRotation: 'certificate-required',
      rotateKey: 'certificate-required',
      sync: 'certificate-required',
    });
  });

  it('every REST route has a scope, and all but the public ones refuse whoever has no key', async () => {
    const { app, routes } = plane.rest;
    const closed = routes.filter((route) => route.scope !== 'public');
    expect(closed.length).toBeGreaterThan(20);
    for (const { method, url } of closed) {
      for (const authorization of [undefined, 'Bearer wrong', 'Basic YWRtaW46YWRtaW4=']) {
        const answer = await app.inject({
          method: method as 'GET',
          url: url.replaceAll(/:\w+/g, 'x'),
          headers: authorization ? { authorization } : {},
        });
        expect(answer.statusCode, `${method} ${url}`).toBe(401);
        if (method !== 'HEAD') expect(answer.json().code).toBe('unauthorized');
      }
    }
  });

  it('nothing but health, documentation, the page and its sign-in is public', () => {
    const open = plane.rest.routes.filter(({ scope, url }) => scope === 'public' && !url.startsWith('/api/docs'));
    const routes = open.filter(({ method }) => method !== 'HEAD').map(({ method, url }) => `${method} ${url}`);
    expect(routes.sort()).toEqual([
      'GET /',
      'GET /api/openapi.json',
      'GET /api/v1/session/state',
      'GET /assets/:name',
      'GET /favicon.svg',
      'GET /healthz',
      'GET /metrics',
      'GET /readyz',
      'POST /api/v1/session',
      'POST /api/v1/session/link',
    ]);
  });
});
