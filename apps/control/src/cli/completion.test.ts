import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completionScript, completionTree, SHELLS } from './completion.js';
import { buildProgram } from './program.js';

const has = (shell: string): boolean => spawnSync(shell, ['-c', 'true']).status === 0;
const tree = completionTree(
  buildProgram(
    {
      environment: {},
      output: { out: () => {}, err: () => {} },
      readInput: async () => '',
      now: () => 0,
      serve: async () => 0,
      signal: async () => 0,
    },
    { code: 0 },
  ),
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'completion-test-'));
  for (const shell of SHELLS) await writeFile(join(folder, `warren.${shell}`), completionScript(shell, tree));
  // Stands for the command: says what it was asked, so that the test sees what scripts ask for.
  const program = '#!/bin/sh\nprintf "%s\\tasked\\n" "$2" "$*" | tr " " "_"\n';
  await writeFile(join(folder, 'warren'), program);
  await chmod(join(folder, 'warren'), 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

function complete(shell: string, words: readonly string[]): string[] {
  const script = {
    bash: `. ${folder}/warren.bash; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _warren; printf '%s\\n' "\${COMPREPLY[@]}"`,
    zsh: `compdef() { :; }; _describe() { print -l -- "\${names[@]%%:*}"; }; _files() { print files; }; . ${folder}/warren.zsh; words=("$@"); CURRENT=$#; _warren`,
    fish: `source ${folder}/warren.fish; complete -C (string join ' ' -- $argv) | string replace -r '\\t.*' ''`,
  }[shell]!;
  const named = shell === 'fish' ? [] : ['sh'];
  const run = spawnSync(shell, ['-c', script, ...named, ...words], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}`, HOME: folder },
    timeout: 30_000,
  });
  expect(run.stderr).toBe('');
  return run.stdout.split('\n').filter(Boolean);
}

describe.each(SHELLS.filter(has))('in %s', (shell) => {
  const cases: [what: string, words: string[], has: string[], hasNot: string[]][] = [
    ['commands', ['warren', ''], ['network', 'node', 'context', 'serve'], ['__complete', 'show']],
    ['commands below a command', ['warren', 'node', ''], ['list', 'show', 'revoke'], ['network']],
    ['options', ['warren', 'node', 'list', '--'], ['--status', '--network', '--json'], ['--scope']],
    ['what an option takes', ['warren', 'node', 'list', '--status', ''], ['pending', 'revoked'], ['--json']],
    ['what an argument is', ['warren', 'completion', ''], ['bash', 'zsh', 'fish'], ['--json']],
    ['names of nodes', ['warren', 'node', 'show', ''], ['node'], ['network']],
    ['names of networks', ['warren', 'network', 'delete', ''], ['network'], ['node']],
    ['names of networks for an option', ['warren', 'node', 'list', '--network', ''], ['network'], ['pending']],
    ['names of contexts', ['warren', '--context', ''], ['context'], ['node']],
    ['API keys', ['warren', 'apikey', 'revoke', ''], ['apikey'], ['node']],
    ['commands behind an option with a value', ['warren', '--context', 'prod', 'token', ''], ['create'], ['node']],
    ['folders', ['warren', 'export', '--output', `${tmpdir()}/completion-tes`], [], ['import', '--json']],
    ['nothing where anything may stand', ['warren', 'node', 'rename', 'phone', ''], [], ['node', 'phone', '--json']],
  ];
  it.each(cases)('the tab key gives %s', (_, words, wanted, unwanted) => {
    const given = complete(shell, words);
    expect(given).toEqual(expect.arrayContaining(wanted));
    for (const word of unwanted) expect(given).not.toContain(word);
  });

  it('names are asked for with the line so far, so that --network and --context count', () => {
    const given = complete(shell, ['warren', 'node', 'show', '--network', 'lab', '']);
    expect(given).toContain('__complete_node_--_node_show_--network_lab');
  });
});

it('bash is there, so that something was tested', () => {
  expect(has('bash')).toBe(true);
});
