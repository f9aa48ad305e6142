// Runs the checks and the test groups one after the other, and ends with one line that counts them all.
//   npm test                    everything
//   npm test -- unit lab        some groups
//   npm test -- lab revoke      … and in the last one only files whose name contains a word
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { root, run } from './bootstrap.mjs';
import { CHECKS } from './checks.mjs';

const GROUPS = ['checks', 'unit', 'lab', 'interop', 'browser'];
/** They make network namespaces. */
const IN_NAMESPACES = ['lab', 'interop', 'browser'];
/** So many are shown of each group. */
const SLOWEST = 8;
const args = process.argv.slice(2);
const wanted = args.filter((arg) => GROUPS.includes(arg));
const filters = args.filter((arg) => !GROUPS.includes(arg));
const groups = wanted.length > 0 ? wanted : GROUPS;

const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const scratch = mkdtempSync(join(tmpdir(), 'warren-test-'));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

if (process.getuid?.() !== 0 && groups.some((group) => IN_NAMESPACES.includes(group))) {
  console.error('Not root: lab, interop and browser tests make network namespaces, and are skipped.');
}

for (const together of batches(groups)) {
  if (together[0] === 'checks') runChecks();
  else if ((await runVitest(together)) > 128) break; // a signal reached us and it: somebody wants this to end
}

for (const failure of failures) console.log(`failed: ${failure}`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
// Nothing at all is a wrong filter; nothing but skipped tests is a host that cannot run them, which is no failure.
process.exit(total.failed > 0 || total.passed + total.skipped === 0 ? 1 : 0);

/** Lab, interop and browser tests run side by side: each file has namespaces of its own, and all of them mostly wait. */
function batches(names) {
  const inNamespaces = names.filter((name) => IN_NAMESPACES.includes(name));
  const others = names.filter((name) => !inNamespaces.includes(name)).map((name) => [name]);
  return inNamespaces.length > 0 ? [...others, inNamespaces] : others;
}

function runChecks() {
  for (const [name, check] of Object.entries(CHECKS)) {
    const problems = check();
    count(problems.length === 0, `check: ${name}`);
    console.log(`${problems.length === 0 ? ' ✓' : ' ✗'} ${name}`);
    for (const problem of problems) console.log(`   ${problem}`);
  }
}

/** @returns vitest's exit code; over 128 when a signal ended it. */
async function runVitest(projects) {
  const group = projects.join('+');
  const report = join(scratch, `${group}.json`);
  const options = [
    'run',
    ...projects.flatMap((project) => ['--project', project]),
    '--passWithNoTests=false',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const code = await run(join(root, 'node_modules/.bin/vitest'), [...options, ...filters]);
  let results;
  try {
    results = JSON.parse(readFileSync(report, 'utf8'));
  } catch (cause) {
    count(false, `${group}: vitest ended with ${code} and left no report (${cause.message})`);
    return code;
  }
  total.passed += results.numPassedTests;
  total.skipped += results.numPendingTests + results.numTodoTests;
  let failed = 0;
  for (const file of results.testResults) {
    for (const test of file.assertionResults) {
      if (test.status !== 'failed') continue;
      failed++;
      count(false, `${group}: ${test.fullName}`);
    }
    // A file whose hooks or imports fail has no failing test of its own.
    if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')) {
      failed++;
      count(false, `${group}: ${file.name}: ${file.message.split('\n')[0]}`);
    }
  }
  printSlowest(group, results.testResults);
  if (code !== 0 && failed === 0) count(false, `${group}: vitest ended with ${code}`);
  return code;
}

/** Where the time goes: files side by side, so the sum is more than the clock says. */
function printSlowest(group, files) {
  const seconds = ({ startTime, endTime }) => (endTime - startTime) / 1_000;
  const slowest = [...files].sort((a, b) => seconds(b) - seconds(a)).slice(0, SLOWEST);
  console.log(`slowest files of ${group}:`);
  for (const file of slowest) console.log(`${seconds(file).toFixed(1).padStart(8)} s  ${relative(root, file.name)}`);
}

function count(passed, what) {
  if (passed) total.passed++;
  else {
    total.failed++;
    failures.push(what);
  }
}
