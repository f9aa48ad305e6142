import { WarrenError } from '@warren/base';
import type { Benchmark, Comparison } from './benchmark.js';
import { dashboard } from './dashboard/dashboard.js';
import { dataplane } from './dataplane/dataplane.js';
import { forwarding } from './dataplane/forwarding.js';
import { profile } from './dataplane/profile.js';
import { join } from './join.js';
import { joinStorm } from './join-storm/join-storm.js';
import { paths } from './paths.js';
import { prediction } from './prediction.js';
import { relay } from './relay/relay.js';
import { renderTable, writeFigures, writeResult } from './report.js';
import { revoke } from './revoke.js';

const BENCHMARKS: readonly (Benchmark | Comparison)[] = [
  join,
  joinStorm,
  revoke,
  paths,
  prediction,
  dashboard,
  dataplane,
  forwarding,
  profile,
  relay,
];
const HELP = `npm run bench                      every benchmark
npm run bench -- NAME…             some of them
npm run bench -- --runs N NAME…    with N runs each
npm run bench -- --list            their names`;

interface Request {
  readonly benchmarks: readonly (Benchmark | Comparison)[];
  readonly runs: number | undefined;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof WarrenError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = error.code === 'usage' ? 2 : 1;
}

async function main(args: readonly string[]): Promise<void> {
  if (args.includes('--help')) return console.log(HELP);
  if (args.includes('--list')) {
    for (const { name, title } of BENCHMARKS) console.log(`${name.padEnd(12)}${title}`);
    return;
  }
  const { benchmarks, runs } = readRequest(args);
  for (const benchmark of benchmarks) await run(benchmark, runs ?? benchmark.defaultRuns);
}

async function run(benchmark: Benchmark | Comparison, runs: number): Promise<void> {
  const at = new Date();
  console.log(`${benchmark.name}: ${benchmark.title}`);
  if ('compare' in benchmark) {
    const { table, figures } = await benchmark.compare(runs, (line) => console.error(`  ${line}`));
    const file = writeFigures(benchmark.name, at, { title: benchmark.title, figures });
    console.log(`${table}\nwritten to ${file}\n`);
    return;
  }
  const { column, unit } = benchmark.goal;
  const results = await benchmark.measure(runs, (one) => console.error(`  ${one[column]} ${unit}`));
  console.log(`${renderTable(benchmark, results)}\nwritten to ${writeResult(benchmark, results, at)}\n`);
}

/** @throws WarrenError `usage`. */
function readRequest(args: readonly string[]): Request {
  const at = args.indexOf('--runs');
  const runs = at < 0 ? undefined : Number(args[at + 1]);
  if (runs !== undefined && !(Number.isInteger(runs) && runs > 0)) {
    throw new WarrenError('usage', '--runs takes a number of runs, such as 10');
  }
  const names = args.filter((_, index) => at < 0 || (index !== at && index !== at + 1));
  const unknown = names.find((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
  if (unknown !== undefined) throw new WarrenError('usage', `no benchmark is named ${unknown}; --list shows them`);
  return { benchmarks: BENCHMARKS.filter(({ name }) => names.length === 0 || names.includes(name)), runs };
}
