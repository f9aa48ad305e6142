import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestPlane, type TestPlane } from '../testing/control-plane.fixture.js';
import { runProgram } from './program.js';

let plane: TestPlane;
beforeAll(async () => {
  plane = await startTestPlane();
});
afterAll(() => plane?.stop());

async function line(command: string): Promise<{ code: number; out: string; err: string }> {
  const said = { out: [] as string[], err: [] as string[] };
  const code = await runProgram(command.split(' '), {
    environment: { WARREN_DATA_DIR: plane.config.dataDir },
    output: { out: (text) => void said.out.push(text), err: (text) => void said.err.push(text) },
    readInput: async () => '',
    now: Date.now,
    serve: async () => 0,
    signal: async () => 0,
  });
  return { code, out: said.out.join(''), err: said.err.join('') };
}
const create = (name: string, more = '') =>
  line(`node create ${name} --network lab --public-key ${randomBytes(32).toString('base64')}${more}`);

it('addresses of a network are pooled, reserved, fixed, listed and renumbered', async () => {
  await line('network create lab --cidr 10.71.0.0/16 --pool 10.71.1.0/24');
  expect((await create('a')).out).toBe('a 10.71.1.1\n');
  expect((await line('network set lab --no-pools')).code).toBe(0);
  expect((await line('network reserve lab 10.71.0.1 --name printer --note hall')).out).toBe(
    'reserved 10.71.0.1 for printer\n',
  );
  expect((await create('b')).out).toBe('b 10.71.0.2\n');
  expect((await create('printer')).out).toBe('printer 10.71.0.1\n');
  expect((await create('c', ' --address 10.71.9.9')).out).toBe('c 10.71.9.9\n');
  expect((await line('node address c 10.71.9.8 --network lab')).out).toBe('c 10.71.9.8\n');
  expect((await line('network reservations lab')).out).toMatch(/10\.71\.0\.1 +printer +hall/);
  const { out } = await line('network addresses lab');
  expect(out).toMatch(/10\.71\.0\.1 +reserved +printer/);
  expect(out).toMatch(/10\.71\.9\.9 +resting +- +20/);
  expect((await line('network addresses lab --state in-use --json')).out).not.toContain('resting');
  expect((await line('network unreserve lab 10.71.0.1')).code).toBe(0);
  const dry = await line('network renumber lab --cidr 10.72.0.0/16 --dry-run');
  expect(dry.out).toMatch(/c +10\.71\.9\.8 +10\.72\.9\.8/);
  expect(dry.out).toContain('vanilla members that need their new file: printer, b, a, c\nlab would have 10.72.0.0/16');
  const done = JSON.parse((await line('network renumber lab --cidr 10.72.0.0/16 --yes --json')).out);
  expect(done).toMatchObject({ dryRun: false, network: { cidrs: ['10.72.0.0/16'] } });
  expect(done.nodes).toHaveLength(4);
  expect((await line('network renumber lab --cidr 10.72.0.0/30')).err).toMatch(
    /^warren: 10\.72\.0\.0\/30 has no room for 4/,
  );
  expect(await line('network renumber lab')).toMatchObject({ code: 2 });
});
