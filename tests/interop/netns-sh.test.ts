import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { wgQuickEnvironment } from '../support/agent-wg.js';

/** Sixteen transfers of a gigabyte each among them. */
const TIMEOUT = 40 * 60_000;

/**
 * WireGuard's own test of an implementation, `tests/netns.sh` of wireguard-go's repository, with `agent wg` as the
 * program. It is not ours to ship: WIREGUARD_NETNS_SH says where it is, and without that this file is left out.
 */
describe("WireGuard's netns.sh with agent wg", () => {
  it('passes from start to end', { timeout: TIMEOUT }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'warren-netns-sh-'));
    try {
      const { code, output } = await run(process.env.WIREGUARD_NETNS_SH ?? '', dir);
      expect(code, output.slice(-4_000)).toBe(0);
      expect(output).toContain('Objects that were created were also destroyed.');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

/** In a mount namespace with sockets and namespaces of its own, so that nothing meets those of the machine. */
function run(path: string, dir: string): Promise<{ code: number | null; output: string }> {
  const { WG_QUICK_USERSPACE_IMPLEMENTATION: program, ...env } = wgQuickEnvironment();
  const mounts = 'mkdir -p /run/wireguard /run/netns; mount --bind "$1" /run/wireguard; mount -t tmpfs none /run/netns';
  const child = spawn(
    'unshare',
    [
      ...['--mount', '--propagation', 'private', 'sh', '-c'],
      `set -e; ${mounts}; mount --make-shared /run/netns; exec "$2" "$3"`,
      ...['sh', dir, path, program!],
    ],
    { cwd: dirname(path), env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    // Not 'close': what the script leaves running may hold its pipes.
    child.on('exit', (code) => resolve({ code, output }));
  });
}
