import { expect, it } from 'vitest';
import { PasswordHasher } from './password-hasher.js';

const PASSWORD = 'correct horse battery';

it('makes Argon2id hashes with the parameters of RFC 9106, each with its own salt, and knows their password', async () => {
  const hasher = new PasswordHasher(() => undefined);
  const [one, two] = [await hasher.hash(PASSWORD), await hasher.hash(PASSWORD)];
  expect(one).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=4\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(one).not.toBe(two);
  expect([await hasher.verify(one, PASSWORD), await hasher.verify(two, PASSWORD)]).toEqual([true, true]);
  expect(await hasher.verify(one, `${PASSWORD} `)).toBe(false);
});

it('does the work of one where there is no hash to compare with, and says no', async () => {
  const times: number[] = [];
  const hasher = new PasswordHasher((seconds) => times.push(seconds));
  expect([await hasher.verify(null, PASSWORD), await hasher.verify(null, '')]).toEqual([false, false]);
  expect(times).toHaveLength(2);
  for (const seconds of times) expect(seconds).toBeGreaterThan(0);
});

it('leaves the event loop free, does two at once, lets sixteen wait, and refuses the next', async () => {
  const hasher = new PasswordHasher(() => undefined);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const all = await Promise.allSettled(Array.from({ length: 19 }, () => hasher.verify(null, PASSWORD)));
  clearInterval(timer);
  const refused = all.filter((one) => one.status === 'rejected');
  expect(refused).toMatchObject([{ reason: { code: 'busy' } }]);
  expect(all.at(-1)).toBe(refused[0]);
  expect(ticks).toBeGreaterThan(5);
  expect(await hasher.verify(null, PASSWORD)).toBe(false);
});
