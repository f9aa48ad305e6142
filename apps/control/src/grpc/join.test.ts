import { X509Certificate } from 'node:crypto';
import { formatJoinToken, parseJoinToken } from '@warren/identity';
import { type JoinRequest, Role } from '@warren/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent, type JoinOptions, makeKeys } from '../testing/fake-agent.fixture.js';

let plane: TestPlane;
let names = 0;

beforeAll(async () => {
  plane = await startTestPlane();
});
afterAll(() => plane?.stop());

const fresh = (): string => `node-${++names}`;
const join = (token: string, options: Partial<JoinOptions> = {}): Promise<FakeAgent> =>
  FakeAgent.join(token, { name: fresh(), ...options });
const uses = async (token: string): Promise<number | undefined> => {
  const { items } = await plane.context.store.listTokens({ limit: 500 });
  return items.find((row) => row.id === parseJoinToken(token)!.id)?.uses;
};

describe('a join', () => {
  it('gives a certificate for the identity key, a configuration and the authority key', async () => {
    const agent = await join(await plane.token());
    const leaf = new X509Certificate(agent.joined.certificateChain[0]!);
    expect(leaf.publicKey.export({ format: 'jwk' }).x).toBe(agent.request.record!.identityKey.toString('base64url'));
    expect(leaf.subjectAltName).toContain(agent.nodeId);
    expect(Date.parse(leaf.validTo) - Date.now()).toBeLessThan(25 * 3_600_000);
    expect(agent.joined.self).toMatchObject({ nodeId: agent.nodeId, role: Role.ROLE_CLIENT, networkName: 'default' });
    expect(agent.joined.self!.addresses[0]).toMatch(/^10\.44\.0\.\d+$/);
    expect(agent.joined.observedAddress).toBe('127.0.0.1');
    expect(agent.joined.authorityKey).toHaveLength(32);
  });

  it('repeated after a lost answer gives the same answer and spends nothing, also when it was the last use', async () => {
    const token = await plane.token({ maxUses: 1 });
    const first = await join(token);
    const client = first.client(null);
    const again = await new Promise<{ self?: unknown }>((resolve, reject) =>
      client.join(first.request, (error, value) => (error ? reject(error) : resolve(value))),
    );
    expect(again.self).toEqual(first.joined.self);
    expect(await uses(token)).toBe(1);
    first.close();
  });

  it('takes the role of the token when none is given', async () => {
    const token = await plane.token({ role: 'direct' });
    const agent = await join(token, { endpoint: '203.0.113.9:51820' });
    expect(agent.joined.self).toMatchObject({ role: Role.ROLE_DIRECT, endpoint: '203.0.113.9:51820' });
  });

  it('of a public node without endpoint uses the address that was seen, and the listen port', async () => {
    const agent = await join(await plane.token(), { role: Role.ROLE_BOUNCE, listenPort: 51_999 });
    expect(agent.joined.self!.endpoint).toBe('127.0.0.1:51999');
  });
});

describe('a join is refused, and nothing is made', () => {
  const refusals: [string, string, () => Promise<unknown>][] = [
    [
      'a used token',
      'token-used-up',
      async () => {
        const token = await plane.token({ maxUses: 1 });
        await join(token);
        return join(token);
      },
    ],
    [
      'an expired token',
      'token-expired',
      async () => {
        const expiresAt = new Date(Date.now() + 300);
        const token = await plane.token({ expiresAt });
        await until(() => Date.now() > expiresAt.getTime(), 'it expires');
        return join(token);
      },
    ],
    [
      'a revoked token',
      'token-revoked',
      async () => {
        const token = await plane.token();
        await plane.context.store.revokeToken(parseJoinToken(token)!.id, 'local');
        return join(token);
      },
    ],
    [
      'a token with a wrong secret',
      'token-unknown',
      async () => join(formatJoinToken({ ...parseJoinToken(await plane.token())!, secret: new Uint8Array(32) })),
    ],
    [
      'a token of nobody',
      'token-unknown',
      async () => join(formatJoinToken({ ...parseJoinToken(await plane.token())!, id: 'nobody' })),
    ],
    [
      'a token of another control plane',
      'pin does not match',
      async () => join(formatJoinToken({ ...parseJoinToken(await plane.token())!, pin: new Uint8Array(32) })),
    ],
    [
      'a name that is taken',
      'name-taken',
      async () => {
        const { request } = await join(await plane.token());
        return join(await plane.token(), { name: request.name });
      },
    ],
    ['a name that is no DNS label', 'bad-request', async () => join(await plane.token(), { name: 'No Name' })],
    [
      "another role than the token's",
      'role-conflict',
      async () => join(await plane.token({ role: 'client' }), { role: Role.ROLE_BOUNCE, endpoint: '203.0.113.1:1' }),
    ],
    [
      'a public role without any way to be reached',
      'endpoint-missing',
      async () => join(await plane.token(), { role: Role.ROLE_DIRECT, listenPort: 0 }),
    ],
    [
      'an endpoint that is none',
      'bad-request',
      async () => join(await plane.token(), { role: Role.ROLE_DIRECT, endpoint: 'nowhere' }),
    ],
    ['a record with a changed byte', 'record-bad', async () => spoil((request) => flip(request.record!.record, 40))],
    [
      'a record of wrong length',
      'record-bad',
      async () =>
        spoil((request) => {
          request.record!.signature = Buffer.alloc(3);
        }),
    ],
    [
      'no record',
      'record-bad',
      async () =>
        spoil((request) => {
          request.record = undefined;
        }),
    ],
    ['a changed challenge', 'challenge-bad', async () => spoil((request) => flip(request.challenge, 3))],
    [
      'no proof that the private key is held',
      'possession-unproven',
      async () => spoil((request) => flip(request.possessionProof, 0)),
    ],
    [
      'a role that does not exist',
      'bad-request',
      async () =>
        spoil((request) => {
          request.role = 9 as Role;
        }),
    ],
    [
      'the keys of a revoked node',
      'key-banned',
      async () => {
        const agent = await join(await plane.token());
        await plane.context.store.revokeNode(agent.nodeId as never, 'local');
        return join(await plane.token(), { keys: agent.keys });
      },
    ],
    [
      'the WireGuard key of another node',
      'key-taken',
      async () => {
        const { keys } = await join(await plane.token());
        return join(await plane.token(), { keys: { ...makeKeys(), wireguard: keys.wireguard } });
      },
    ],
  ];

  it.each(refusals)('for %s: %s', async (_, code, attempt) => {
    await expect(attempt()).rejects.toThrow(code);
  });

  it('leaves the token unspent', async () => {
    const token = await plane.token({ maxUses: 1 });
    await expect(join(token, { name: 'Not A Name' })).rejects.toThrow('bad-request');
    expect(await uses(token)).toBe(0);
    await join(token);
  });

  async function spoil(change: (request: JoinRequest) => void): Promise<FakeAgent> {
    return join(await plane.token(), { change });
  }
  function flip(bytes: Uint8Array, index: number): void {
    bytes[index]! ^= 1;
  }
});

describe('renewal', () => {
  it('is refused for a time that is off, and for another identity', async () => {
    const agent = await join(await plane.token());
    await expect(agent.renew(Date.now() - 3_600_000)).rejects.toThrow('renewal-bad');
    await expect(agent.renew(Date.now(), makeKeys().identity)).rejects.toThrow('renewal-bad');
    agent.close();
  });
});

describe('secrets', () => {
  it('no token, private key or certificate key appears in what was logged (invariant 15)', async () => {
    const token = await plane.token();
    const agent = await join(token);
    await expect(join(token, { keys: { ...agent.keys, nodeId: makeKeys().nodeId } })).rejects.toThrow();
    const { secret } = parseJoinToken(token)!;
    const private_ = [agent.keys.identity, agent.keys.wireguard, agent.keys.path].map((key) => key.expose());
    const log = plane.log();
    expect(log).toContain('embedded PostgreSQL');
    for (const bytes of [secret, ...private_]) {
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        expect(log).not.toContain(Buffer.from(bytes).toString(encoding));
      }
    }
    expect(log).not.toContain('PRIVATE KEY');
  });
});
