import { accessSync, constants, writeFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WarrenError } from '@warren/base';
import { meshProgram, waitUntil } from '@warren/netlab';
import type { Subject, TunnelConfig, TunnelEnd } from './tunnel.js';

const RUNNER = fileURLToPath(new URL('./runner.js', import.meta.url));
const START_TIMEOUT_MS = 20_000;

/** `agent wg`, as anybody runs it. */
export const warren: Subject = program(meshProgram('agent'), { name: 'warren', args: ['wg', '-f'] });

/** Our data plane in a process of its own that is started with `options` of Node's. */
export function profiled(options: readonly string[]): Subject {
  return {
    name: 'warren',
    isTunnel: true,
    async start(host, config): Promise<TunnelEnd> {
      const file = join(host.dir, 'tunnel.json');
      writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
      const running = host.spawn(process.execPath, [...options, RUNNER, file]);
      await running.waitForOutput(/^ready /m, START_TIMEOUT_MS);
      return { pids: [running.pid], stop: async () => void (await running.stop()) };
    },
  };
}

interface ProgramOptions {
  readonly name: string;
  /** Before the interface's name, so that it stays in the foreground. */
  readonly args: readonly string[];
}

/** A program that behaves as `wireguard-go IFNAME`, configured with `wg` as its users do. */
function program(path: string, { name, args }: ProgramOptions = { name: basename(path), args: ['-f'] }): Subject {
  return {
    name,
    isTunnel: true,
    async start(host, config): Promise<TunnelEnd> {
      const { interfaceName } = config;
      const running = host.spawn(path, [...args, interfaceName], { env: { LOG_LEVEL: 'error' } });
      await waitUntil(`${name} to serve ${interfaceName}`, { timeoutMs: START_TIMEOUT_MS }, async () => {
        if (!running.running) throw new WarrenError('peer-failed', `${name} ended: ${running.stderr.trim()}`);
        return (await host.run('wg', ['show', interfaceName])).code === 0;
      });
      const file = join(host.dir, `${interfaceName}.conf`);
      writeFileSync(file, renderConfig(config), { mode: 0o600 });
      const { code, stderr } = await host.run('wg', ['setconf', interfaceName, file]);
      if (code !== 0) throw new WarrenError('peer-failed', `wg setconf for ${name}: ${stderr.trim()}`);
      await host.configure([
        `link set dev ${interfaceName} mtu ${config.mtu} up`,
        `address add ${config.address} dev ${interfaceName}`,
        ...config.peers.flatMap((peer) => peer.allowedIps.map((ip) => `route replace ${ip} dev ${interfaceName}`)),
      ]);
      return { pids: [running.pid], stop: async () => void (await running.stop()) };
    },
  };
}

/** The bare link: the most that any tunnel can reach. */
export const noTunnel: Subject = {
  name: 'no tunnel',
  isTunnel: false,
  start: async () => ({ pids: [], stop: async () => undefined }),
};

/**
 * Ours first, then each program: Debian's wireguard-go where it is installed, those of `WARREN_BENCH_PEERS` (paths separated
 * by `:` or `,`), and no tunnel.
 */
export function subjects(environment: NodeJS.ProcessEnv): Subject[] {
  const named = (environment.WARREN_BENCH_PEERS ?? '').split(/[:,]/).filter((path) => path !== '');
  const missing = named.find((path) => !isExecutable(path));
  if (missing !== undefined) {
    throw new WarrenError('usage', `WARREN_BENCH_PEERS names ${missing}, which is no program: give paths of programs`);
  }
  const debian = (environment.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'wireguard-go'))
    .find(isExecutable);
  return [warren, ...named.map((path) => program(path)), ...(debian === undefined ? [] : [program(debian)]), noTunnel];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not for us
  }
}

function renderConfig(config: TunnelConfig): string {
  const lines = ['[Interface]', `PrivateKey = ${config.privateKey}`, `ListenPort = ${config.listenPort}`];
  for (const { publicKey, allowedIps, endpoint } of config.peers) {
    lines.push('[Peer]', `PublicKey = ${publicKey}`, `AllowedIPs = ${allowedIps.join(', ')}`);
    if (endpoint !== undefined) lines.push(`Endpoint = ${endpoint}`);
  }
  return `${lines.join('\n')}\n`;
}
