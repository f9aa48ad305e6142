import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createWorld } from '@warren/netlab';
import type { Comparison } from '../benchmark.js';
import { sharesOf } from './cpu-profile.js';
import { measureCase } from './dataplane.js';
import { profiled } from './subjects.js';

/** Where our data plane's time goes while it carries what `dataplane` measures. */
export const profile: Comparison = {
  name: 'profile',
  title: 'where the data plane’s worker spends its time, both ends together',
  defaultRuns: 1,
  async compare(rounds, onLine) {
    const world = await createWorld({ name: 'bench-profile' });
    try {
      const hosts = { a: await world.addHost({ name: 'a' }), b: await world.addHost({ name: 'b' }) };
      const folder = join(hosts.a.dir, 'profiles');
      mkdirSync(folder);
      for (let round = 1; round <= rounds; round++) {
        onLine(`round ${round} of ${rounds}`);
        await measureCase(hosts, profiled(['--cpu-prof', `--cpu-prof-dir=${folder}`]), 1);
      }
      // Thread 0 is the main one, which carries no packets.
      const files = readdirSync(folder).filter((name) => !/\.0\.\d+\.cpuprofile$/.test(name));
      const shares = sharesOf(files.map((name) => join(folder, name)));
      const table = shares
        .map(([part, share]) => `${part.padEnd(34)}${(share * 100).toFixed(1).padStart(6)} %`)
        .join('\n');
      return { table, figures: Object.fromEntries(shares) };
    } finally {
      await world.close();
    }
  },
};
