import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sharesOf } from './cpu-profile.js';

it('shares the busy time among the parts by self time, idleness left out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'warren-profile-'));
  try {
    const frames = [
      ['(idle)', ''],
      ['seal', 'file:///x/packages/dataplane/dist/native-crypto/openssl-low.js'],
      ['write', 'file:///x/packages/dataplane/dist/offload/offload-tun.js'],
      ['next', 'file:///x/packages/dataplane/dist/offload/segmentation.js'],
      ['(program)', ''],
      ['parse', 'node:internal/url'],
    ] as const;
    const file = join(folder, 'one.cpuprofile');
    const nodes = frames.map(([functionName, url], id) => ({ id, callFrame: { functionName, url } }));
    writeFileSync(
      file,
      JSON.stringify({ nodes, samples: [0, 1, 2, 3, 4, 5, 1], timeDeltas: [900, 30, 20, 10, 15, 5, 20] }),
    );
    expect(sharesOf([file, file])).toEqual([
      ['cipher', 0.5],
      ['TUN (system calls)', 0.2],
      ['kernel and engine, unattributed', 0.15],
      ['split, batch and coalesce', 0.1],
      ['Node and the rest', 0.05],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
