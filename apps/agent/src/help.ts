import type { Command } from 'commander';

/** Below the overview. */
const OVERVIEW = `
Begin with:
  agent join --token TOKEN        # as root; \`warren token create\` at the control plane prints the token
  agent status                    # is it connected, whom does it reach
  agent ping NODE                 # and which way

Exit codes: 0 fine, 1 something about this host, 2 wrong usage, 3 refused by the control plane,
4 control plane not reachable, 5 it is not the one that the token names.`;

/** Below the help of a command. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  join: [
    'agent join --token TOKEN --name laptop',
    'agent join --token TOKEN --role bounce --endpoint server.example.org:51820',
    'agent join --token TOKEN --take-over /etc/wireguard/wg0.conf',
    'agent join --token TOKEN --no-start       # join only; `agent up` later',
  ],
  'rotate-key': ['agent rotate-key', 'agent rotate-key --compromised     # at once, also where it costs packets'],
  up: ['agent up', 'agent up --network lab'],
  ping: ['agent ping phone', 'agent ping 10.44.0.5 -c 3'],
  explain: ['agent explain phone'],
  conf: ['agent conf', 'agent conf --private > wg0.conf'],
  leave: ['agent leave', 'agent leave --force         # also when the control plane cannot be told'],
  status: ['agent status', 'agent status --json | jq .state'],
  wg: ['agent wg wg1', 'agent wg -f wg1'],
};

/** Adds examples to every command that has some. */
export function addExamples(program: Command): void {
  program.addHelpText('after', OVERVIEW);
  for (const command of program.commands) {
    const lines = EXAMPLES[command.name()];
    if (lines) command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`);
  }
}
