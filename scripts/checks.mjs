// What fails the build besides types and lint, each rule with its reason.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { env, root } from './bootstrap.mjs';
import { checkLinks, checkReadmes } from './check-readmes.mjs';

/** Which packages each may import. Arrows point one way; whatever is not listed is forbidden. */
const MAY_IMPORT = {
  base: [],
  crypto: ['base'],
  identity: ['base', 'crypto'],
  wireguard: ['base', 'crypto'],
  topology: ['base'],
  udp: ['base'],
  stun: ['base', 'crypto'],
  paths: ['base', 'crypto', 'stun'],
  signal: ['base', 'crypto', 'identity', 'paths', 'stun', 'udp'],
  simnet: ['base'],
  dataplane: ['base', 'crypto', 'paths', 'stun', 'udp', 'wireguard'],
  proto: [],
  db: ['base', 'topology'],
  client: [],
  netlab: ['base'],
  control: ['base', 'client', 'crypto', 'db', 'identity', 'proto', 'signal', 'topology'],
  agent: ['base', 'crypto', 'dataplane', 'identity', 'paths', 'proto', 'signal', 'stun', 'topology'],
  // It runs in a browser, and knows the control plane by its REST alone.
  dashboard: ['base', 'client', 'topology'],
  demo: ['base', 'netlab'],
  // The database itself is looked into by tests only, to show what is not in it.
  tests: [
    'base',
    'crypto',
    'dataplane',
    'db',
    'identity',
    'netlab',
    'paths',
    'proto',
    'signal',
    'simnet',
    'stun',
    'topology',
    'wireguard',
  ],
  bench: ['base', 'crypto', 'dataplane', 'identity', 'netlab', 'paths', 'proto', 'signal', 'udp', 'wireguard'],
};

/** Reasons for the bans that people run into. */
const WHY = {
  'dataplane → proto': 'the data plane knows nothing of the wire: each app translates in its `codec` folder',
  'topology → proto': 'the compiler works on the domain; each app translates in its `codec` folder',
  'agent → control': 'apps never import apps: they meet on the wire',
  'control → agent': 'apps never import apps: they meet on the wire',
  'demo → agent': 'the demo starts the programs that users start',
  'demo → control': 'the demo starts the programs that users start',
  'topology → db': 'pure packages do no I/O; the database imports the model, not the other way round',
};

/** Deterministic functions of arguments and calls (docs/ARCHITECTURE.md, “Pure core, thin shell”). */
const PURE = new Set(['base', 'crypto', 'identity', 'paths', 'simnet', 'stun', 'topology', 'wireguard']);
/** A module of its own beside a package's index, because only few need what it loads. */
const SUBPATHS = new Set(['@warren/client/node', '@warren/crypto/boxes']);
const IMPURE = [
  [/['"]node:/, 'imports node: — I/O belongs to the shell'],
  [/\bDate\b/, 'uses Date — wall time comes in as UnixMillis'],
  [/\bMath\.random\b/, 'uses Math.random — random bytes come in by the constructor'],
  [/\bperformance\b/, 'uses performance — time comes in as Instant'],
  [/\b(setTimeout|setInterval|setImmediate|queueMicrotask)\b/, 'uses a timer — deadlines go out by pollTimeout'],
  [/\b(async|await)\b/, 'is asynchronous — machines are driven by calls'],
  [/\bconsole\./, 'logs — events go out by pollEvent'],
];

const MAX_LINES = 500;

/** Every TypeScript source of ours: [workspace name, absolute path]. */
function sources() {
  const found = [];
  const walk = (name, folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!['node_modules', 'dist', 'gen', 'results'].includes(entry.name)) walk(name, path);
      } else if (/\.tsx?$/.test(entry.name) && !entry.name.endsWith('.d.ts')) found.push([name, path]);
    }
  };
  for (const parent of ['packages', 'apps']) {
    for (const name of readdirSync(join(root, parent))) {
      const src = join(root, parent, name, 'src');
      if (existsSync(src)) walk(name, src);
    }
  }
  for (const name of ['tests', 'bench']) walk(name, join(root, name));
  return found;
}

const isTest = (path) => /\.(test|suite)\.ts$/.test(path) || path.includes('/testing/');
const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');

/** The folder whose files are one package: imports may not climb out of it. */
const packageRoot = (path) => {
  let folder = dirname(path);
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
};

export function checkImports() {
  const problems = [];
  for (const [name, path] of sources()) {
    const allowed = MAY_IMPORT[name];
    const where = relative(root, path);
    if (!allowed) {
      problems.push(`${where}: package ${name} is not in scripts/checks.mjs, MAY_IMPORT: say what it may import`);
      continue;
    }
    for (const [, target] of readFileSync(path, 'utf8').matchAll(/(?:from|import|import\()\s*['"]([^'"]+)['"]/g)) {
      if (target.startsWith('.')) {
        if (!resolve(dirname(path), target).startsWith(packageRoot(path))) {
          problems.push(`${where}: ${target} climbs out of the package: import @warren/… and its index instead`);
        }
        continue;
      }
      const match = /^@warren\/([^/]+)(\/.+)?$/.exec(target);
      if (!match) continue;
      const [, other, deep] = match;
      if (deep && !SUBPATHS.has(target) && !(isTest(path) && ['/suite', '/testing'].includes(deep))) {
        problems.push(`${where}: ${target} reaches into another package: use what its index exports`);
      }
      if (other !== name && !allowed.includes(other)) {
        const rule = `${name} → ${other}`;
        problems.push(
          `${where}: ${rule} is not allowed: ${WHY[rule] ?? `dependencies point one way (scripts/checks.mjs); ${name} may import ${allowed.join(', ') || 'nothing'}`}`,
        );
      }
    }
  }
  return problems;
}

export function checkPurity() {
  const problems = [];
  for (const [name, path] of sources()) {
    if (!PURE.has(name) || isTest(path)) continue;
    const lines = withoutComments(readFileSync(path, 'utf8')).split('\n');
    for (const line of lines) {
      for (const [pattern, why] of IMPURE) {
        if (pattern.test(line)) problems.push(`${relative(root, path)}: ${why}: ${line.trim()}`);
      }
    }
  }
  return problems;
}

export function checkSizes() {
  return sources().flatMap(([, path]) => {
    const lines = readFileSync(path, 'utf8').split('\n').length;
    return lines > MAX_LINES
      ? [`${relative(root, path)}: ${lines} lines; split it by meaning (at most ${MAX_LINES})`]
      : [];
  });
}

/** Generated code is committed, so that it can be read and reviewed; here it is made again and compared. */
export function checkGenerated() {
  const before = hashGenerated();
  const made = spawnSync(
    join(root, 'node_modules/.bin/turbo'),
    ['run', 'generate', '--force', '--output-logs=errors-only'],
    {
      cwd: root,
      env,
      encoding: 'utf8',
    },
  );
  if (made.status !== 0) return [`npm run generate failed:\n${made.stdout}${made.stderr}`];
  const after = hashGenerated();
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
  return changed.map((path) => `${path} is not what its source generates: run npm run generate and commit the result`);
}

function hashGenerated() {
  const hashes = new Map();
  const walk = (folder) => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) walk(path);
      else hashes.set(relative(root, path), createHash('sha256').update(readFileSync(path)).digest('hex'));
    }
  };
  for (const name of readdirSync(join(root, 'packages'))) {
    const gen = join(root, 'packages', name, 'src/gen');
    if (existsSync(gen)) walk(gen);
  }
  return hashes;
}

/** Programs that judge the whole tree; their own output says what is wrong. */
function program(name, args) {
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin', name), args, {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return status === 0 ? [] : [`${stdout}${stderr}`.trim()];
}

export const CHECKS = {
  'format and lint (biome)': () => program('biome', ['ci', '--colors=off', '.']),
  'types, tests included (tsc)': () => program('turbo', ['run', 'typecheck', '--output-logs=errors-only']),
  'nothing unused (knip)': () => program('knip', ['--no-progress']),
  'import direction': checkImports,
  'pure packages are pure': checkPurity,
  'file sizes': checkSizes,
  'generated code is what its sources generate': checkGenerated,
  'README examples compile': checkReadmes,
  'links in documents': checkLinks,
};
