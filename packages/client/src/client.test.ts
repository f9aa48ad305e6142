import { describe, expect, it } from 'vitest';
import { createWarrenClient, pages, take, WarrenProblem } from './index.js';

/** A control plane that gives these answers, and keeps what it was asked. */
function clientOf(...answers: Response[]) {
  const asked: Request[] = [];
  const client = createWarrenClient({
    url: 'https://warren.example.org/',
    token: 'warrenkey_x',
    fetch: async (request) => {
      asked.push(request);
      return answers.shift()!;
    },
  });
  return { client, asked };
}
const json = (body: unknown, status = 200, type = 'application/json') =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': type } });

describe('a call', () => {
  it('carries the key, names the route, and escapes what is in the path', async () => {
    const { client, asked } = clientOf(json({ id: 'x' }));
    await take(client.GET('/api/v1/nodes/{id}', { params: { path: { id: 'a/b c' }, query: { network: 'lab' } } }));
    expect(asked[0]!.url).toBe('https://warren.example.org/api/v1/nodes/a%2Fb%20c?network=lab');
    expect(asked[0]!.headers.get('authorization')).toBe('Bearer warrenkey_x');
  });

  it('that is refused throws the problem with its stable code', async () => {
    const problem = { code: 'not-found', detail: 'there is no node "x"', status: 404, title: '', type: '' };
    const { client } = clientOf(json(problem, 404, 'application/problem+json'));
    const call = take(client.GET('/api/v1/nodes/{id}', { params: { path: { id: 'x' } } }));
    await expect(call).rejects.toMatchObject({ code: 'not-found', status: 404, message: 'there is no node "x"' });
    await expect(call).rejects.toBeInstanceOf(WarrenProblem);
  });

  it.each([
    ['an error page', new Response('<html>', { status: 502 })],
    ['JSON of another kind', json({ error: 'nope' }, 500)],
    ['no JSON at all', new Response('hello', { status: 200, headers: { 'content-type': 'text/html' } })],
  ])('answered by something else (%s) throws `unreachable`', async (_, answer) => {
    const { client } = clientOf(answer);
    await expect(take(client.GET('/api/v1/status'))).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('without an answer throws what fetch throws', async () => {
    const client = createWarrenClient({
      url: 'http://x',
      fetch: async () => {
        throw new TypeError('fetch failed');
      },
    });
    await expect(take(client.GET('/api/v1/status'))).rejects.toThrow('fetch failed');
  });

  it('that deletes gives nothing', async () => {
    const { client } = clientOf(new Response(null, { status: 204 }));
    expect(await take(client.DELETE('/api/v1/apikeys/{id}', { params: { path: { id: 'x' } } }))).toBeUndefined();
  });
});

it('a list is read to its end, page by page', async () => {
  const { client, asked } = clientOf(
    json({ items: [{ id: 'a' }, { id: 'b' }], nextCursor: 'n1' }),
    json({ items: [], nextCursor: 'n2' }),
    json({ items: [{ id: 'c' }], nextCursor: null }),
  );
  const ids: string[] = [];
  const list = (cursor: string | undefined) =>
    take(client.GET('/api/v1/nodes', { params: { query: cursor === undefined ? {} : { cursor } } }));
  for await (const { id } of pages(list)) ids.push(id);
  expect(ids).toEqual(['a', 'b', 'c']);
  expect(asked.map(({ url }) => new URL(url).search)).toEqual(['', '?cursor=n1', '?cursor=n2']);
});
