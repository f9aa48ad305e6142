// Gets a bare checkout to where its programs run: pnpm, packages, Debian packages for the tests, build.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { packageManager, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The environment of everything that the scripts start: quiet tools, and no npm settings that pnpm would read as its own. */
export const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', CHECKPOINT_DISABLE: '1' };
for (const name of Object.keys(env)) {
  if (/^npm_config_(?!registry|cafile|.*proxy)/i.test(name)) delete env[name];
}
env.npm_config_update_notifier = 'false';
env.npm_config_fund = 'false';
env.PATH = `${join(root, 'node_modules/.bin')}${delimiter}${env.PATH}`;

/**
 * Runs a program in the foreground and gives its exit code. Signals that reach us go on to it, and we wait for it to
 * finish: nothing is left running behind a killed `npm start`.
 */
export function run(command, args, options = {}, onOutput = () => {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: 'inherit', ...options });
    child.stdout?.on('data', (chunk) => onOutput(chunk.toString()));
    child.stderr?.on('data', (chunk) => onOutput(chunk.toString()));
    const forward = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

/** As `run`, but a failure ends this process with the same code. */
export async function must(command, args, options) {
  const code = await run(command, args, options);
  if (code !== 0) process.exit(code);
}

export function checkNode() {
  const wanted = engines.node.replace('>=', '').split('.').map(Number);
  const have = process.versions.node.split('.').map(Number);
  if (have[0] > wanted[0] || (have[0] === wanted[0] && have[1] >= wanted[1])) return;
  console.error(`Warren needs Node ${engines.node}; this is ${process.version}. Install a newer one from nodejs.org.`);
  process.exit(1);
}

/** Installs the packages of the lockfile, unless exactly those are there already. */
export async function install() {
  const stampFile = join(root, 'node_modules/.bootstrap');
  const stamp = createHash('sha256')
    .update(readFileSync(join(root, 'pnpm-lock.yaml')))
    .update(process.version)
    .digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  console.error('Installing packages (first start, or the lockfile changed) …');
  // pnpm is a dependency of the root, so npm is asked for it only until the first install.
  const own = join(root, 'node_modules/.bin/pnpm');
  const found = existsSync(own) ? spawnSync(own, ['--version'], { cwd: root, env, encoding: 'utf8' }) : undefined;
  const current = found?.status === 0 && `pnpm@${found.stdout.trim()}` === packageManager;
  const args = ['install', '--frozen-lockfile', '--reporter=append-only'];
  const stdio = ['ignore', 2, 2];
  await must(current ? own : 'npx', current ? args : ['--yes', packageManager, ...args], { stdio });
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
}

/** Builds what changed, silently unless it fails. */
export async function build(...filters) {
  const turbo = join(root, 'node_modules/.bin/turbo');
  const lines = [];
  const code = await run(
    turbo,
    ['run', 'build', '--output-logs=errors-only', ...filters],
    { stdio: ['ignore', 'pipe', 'pipe'] },
    (text) => lines.push(text),
  );
  if (code === 0) return;
  process.stderr.write(lines.join(''));
  process.exit(code);
}

/** Programs that lab, interop and browser tests need, and the Debian package that has each. */
const DEBIAN = {
  ip: 'iproute2',
  nft: 'nftables',
  ping: 'iputils-ping',
  wg: 'wireguard-tools',
  'wireguard-go': 'wireguard-go',
  iperf3: 'iperf3',
  tcpdump: 'tcpdump',
  miniupnpd: 'miniupnpd-nftables',
  conntrack: 'conntrack',
  turnserver: 'coturn',
  busybox: 'busybox',
  shellcheck: 'shellcheck',
  chromium: 'chromium',
};

/** Services that come with those packages: tests start their own in namespaces, and nobody asked for one on this machine. */
const SERVICES = { coturn: 'coturn.service', 'miniupnpd-nftables': 'miniupnpd.service' };

/** Installs missing Debian packages when root, saying so; else says what will be skipped. */
export async function debianPackages() {
  const missing = Object.entries(DEBIAN).filter(([program]) => spawnSync('which', [program]).status !== 0);
  if (missing.length === 0) return;
  const names = [...new Set(missing.map(([, name]) => name))];
  const apt = spawnSync('which', ['apt-get']).status === 0;
  if (process.getuid?.() !== 0 || !apt) {
    console.error(`Not installed: ${names.join(', ')}. The tests that need them are skipped.`);
    return;
  }
  console.error(`Installing Debian packages for the tests: ${names.join(' ')}`);
  const quiet = { stdio: ['ignore', 'ignore', 2], env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } };
  const services = existsSync('/run/systemd/system') ? names.flatMap((name) => SERVICES[name] ?? []) : [];
  const systemctl = (...args) => services.length > 0 && spawnSync('systemctl', [...args, ...services]);
  await run('apt-get', ['update', '-qq'], quiet);
  systemctl('mask', '--runtime');
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], quiet);
  systemctl('disable');
  systemctl('unmask', '--runtime');
}
