import { expect } from 'vitest';
import type { Contracts, World } from './engine.fixture.js';

const PASSWORD = 'a password that is long';
const link = async ({ plane }: World) => (await plane.context.store.createSignInLink(60_000, 'local')).link;

/** Sets the password, by a link as people do. */
async function setUp(world: World): Promise<void> {
  const answer = await world.send('useSignInLink', { body: { link: await link(world), password: PASSWORD } });
  expect(answer.status, answer.text).toBe(200);
}

const another = async (world: World) => ({ params: { id: (await world.session()).id } });

export const SESSION_CONTRACTS: Contracts = {
  getSignInState: {
    by: 'anybody',
    good: () => ({ headers: { authorization: '' } }),
    status: 200,
    gives: (state: object) => expect(state).toEqual({ setUp: expect.any(Boolean), encrypted: true }),
  },
  signIn: {
    ...{ by: 'anybody', unrepeatable: true },
    good: async (world) => {
      await setUp(world);
      return { body: { name: 'admin', password: PASSWORD }, headers: { authorization: '' } };
    },
    status: 200,
    gives: (session: object) => expect(session).toMatchObject({ user: { name: 'admin' } }),
    badBodies: [{ name: '' }, { name: 1 }, { password: null }, { password: 'x'.repeat(5_000) }],
    refused: [
      {
        what: 'a wrong password',
        request: (good) => ({ ...good, body: { password: `${PASSWORD}.` } }),
        ...{ status: 401, code: 'sign-in-failed' },
      },
      {
        what: 'a name that nobody has',
        request: (good) => ({ ...good, body: { name: 'root', password: PASSWORD } }),
        ...{ status: 401, code: 'sign-in-failed' },
      },
      {
        what: 'a page of somebody else, which would sign somebody in as another',
        request: (good) => ({ ...good, headers: { ...good.headers, origin: 'https://evil.example' } }),
        ...{ status: 403, code: 'csrf' },
      },
    ],
  },
  useSignInLink: {
    ...{ by: 'anybody', unrepeatable: true },
    good: async (world) => ({ body: { link: await link(world), password: PASSWORD }, headers: { authorization: '' } }),
    status: 200,
    badBodies: [{ link: 7 }, { password: 'é'.repeat(600) }, { password: 'x'.repeat(5_000) }],
    refused: [
      {
        what: 'a short password, which leaves the link as it was',
        request: (good) => ({ ...good, body: { ...good.body, password: '123456789' } }),
        ...{ status: 400, code: 'password-too-short' },
      },
      {
        what: 'a link of somebody else’s making',
        request: (good) => ({ ...good, body: { ...good.body, link: `warrenlink_${'A'.repeat(43)}` } }),
        ...{ status: 401, code: 'link-unknown' },
      },
      {
        what: 'a link that was used',
        request: async (good, world) => {
          await world.send('useSignInLink', good);
          return good;
        },
        ...{ status: 401, code: 'link-used' },
      },
    ],
  },
  createSignInLink: {
    good: () => ({}),
    status: 201,
    gives: ({ url, link: made }: { url: string; link: string }) => expect(url).toMatch(new RegExp(`/welcome#${made}$`)),
  },
  getCurrentSession: {
    by: 'session',
    good: async (world) => ({ headers: (await world.session()).headers }),
    status: 200,
  },
  signOut: {
    ...{ by: 'session', unrepeatable: true },
    good: async (world) => ({ headers: (await world.session()).headers }),
    status: 204,
  },
  changePassword: {
    ...{ by: 'session', unrepeatable: true },
    good: async (world) => {
      await setUp(world);
      return { body: { current: PASSWORD, password: PASSWORD }, headers: (await world.session()).headers };
    },
    status: 204,
    badBodies: [{ current: 1 }, { password: 'é'.repeat(600) }],
    refused: [
      {
        what: 'without the current password',
        request: (good) => ({ ...good, body: { ...good.body, current: 'something else' } }),
        ...{ status: 403, code: 'password-wrong' },
      },
      {
        what: 'a short one',
        request: (good) => ({ ...good, body: { ...good.body, password: 'short' } }),
        ...{ status: 400, code: 'password-too-short' },
      },
    ],
  },
  listSessions: {
    good: async (world) => {
      await world.session();
      return { query: { limit: 1 } };
    },
    status: 200,
    gives: ({ items }: { items: object[] }) =>
      expect(items).toMatchObject([{ current: false, user: { name: 'admin' } }]),
  },
  deleteSession: { good: another, status: 204 },
};
