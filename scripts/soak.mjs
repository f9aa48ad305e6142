// The long forms of the tests: hours instead of minutes, more seeds, more kills.
//   npm run soak -- --list
//   npm run soak -- outage file
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { env, root, run } from './bootstrap.mjs';

/** name: [what it does, vitest project, file filter]. The tests read WARREN_SOAK and WARREN_SEED. */
const SOAKS = {
  outage: ['control plane dead for five minutes, agents restarted meanwhile', 'lab', 'outage'],
  file: ['200 MB from client to client over IPv4 and IPv6', 'lab', 'classic'],
  'nat-grid': ['every ordered pair of kinds of NAT, ten times', 'lab', 'nat-grid'],
  fuzz: [
    'ten million inputs over every decoder and the UAPI parser; two million datagrams at a session',
    'unit',
    'fuzz',
  ],
  session: ['1,000 random histories of two peers', 'unit', 'session.property'],
  load: ['30 minutes (WARREN_SOAK_MINUTES) of mixed load on two data planes, RSS at start and end', 'soak', 'load'],
  sim: ['10,000 (WARREN_WORLDS) simulated worlds of agents behind NATs', 'unit', 'tests/sim/worlds'],
  kills: [
    '20 times kill -9 of control plane, database or both amid writes, with agents that follow',
    'unit',
    'apps/control/src/crash/kills',
  ],
  convergence: [
    '10 minutes (WARREN_SOAK_MINUTES) of random REST changes with agents that follow, come and go',
    'unit',
    'apps/control/src/crash/convergence',
  ],
  database: ['kill -9 of the embedded database, of its owner and of both', 'unit', 'packages/db'],
  // Not ours to ship, so there is nothing to run unless the environment says where it is.
  ...(process.env.WIREGUARD_NETNS_SH && {
    'netns-sh': ["WireGuard's own netns.sh with `agent wg`", 'interop', 'netns-sh'],
  }),
};

const names = process.argv.slice(2);
if (names.includes('--list') || names.includes('--help')) {
  for (const [name, [what]] of Object.entries(SOAKS)) console.log(`${name.padEnd(12)}${what}`);
  process.exit(0);
}
const unknown = names.find((name) => !(name in SOAKS));
if (unknown) {
  console.error(`no soak is named ${unknown}; npm run soak -- --list shows them`);
  process.exit(2);
}

const seed = Number(process.env.WARREN_SEED ?? randomInt(2 ** 31));
const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim();
console.log(`seed ${seed}, commit ${commit || 'unknown'}`);
let failed = 0;
for (const name of names.length > 0 ? names : Object.keys(SOAKS)) {
  const [, project, filter] = SOAKS[name];
  const code = await run(join(root, 'node_modules/.bin/vitest'), ['run', '--project', project, filter], {
    env: { ...env, WARREN_SOAK: '1', WARREN_SEED: String(seed) },
  });
  console.log(`${name}: ${code === 0 ? 'passed' : `failed (${code})`}`);
  if (code !== 0) failed++;
}
process.exit(failed > 0 ? 1 : 0);
