import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandResult, execute, type Host, meshProgram, waitUntil } from '@warren/netlab';

const WRAPPER = fileURLToPath(new URL('../../infra/wg-quick/agent-wg', import.meta.url));

/** Environment in which wg-quick finds our data plane; it runs the host's own copy of nothing else. */
export const wgQuickEnvironment = (): Record<string, string> => ({
  WG_QUICK_USERSPACE_IMPLEMENTATION: WRAPPER,
  PATH: `${dirname(meshProgram('agent'))}:${process.env.PATH ?? ''}`,
});

/** Runs `agent wg …` on the host to its end; as a daemon that is when its socket answers. */
export const agentWg = (
  host: Host,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<CommandResult> => host.run(meshProgram('agent'), ['wg', ...args], { env });

/** Runs a program on the host. @throws Error with what it said when it fails. */
export async function runOn(host: Host, command: string, args: readonly string[], input?: string): Promise<string> {
  const env = wgQuickEnvironment();
  // A pipe, because `wg` opens /dev/stdin by name, which a socket forbids.
  const { code, stdout, stderr } =
    input === undefined
      ? await host.run(command, args, { env })
      : await host.run('sh', ['-c', 'cat | "$@"', 'sh', command, ...args], { env, input });
  if (code !== 0)
    throw new Error(`${command} ${args.join(' ')} on ${host.name} ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}

/** Processes on the host that serve interfaces as daemons, with the interface of each. */
export async function wgDaemons(host: Host): Promise<{ readonly pid: number; readonly interfaceName: string }[]> {
  const { stdout } = await execute('ip', ['netns', 'pids', host.namespaceName]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((pid) => {
      const args = commandLine(pid);
      const at = args.indexOf('--wg-daemon');
      return at < 0 ? [] : [{ pid: Number(pid), interfaceName: args[at + 1]! }];
    });
}

export const waitForNoDaemon = (host: Host): Promise<true> =>
  waitUntil('the daemons to end', { timeoutMs: 10_000 }, async () => (await wgDaemons(host)).length === 0);

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return []; // it has ended
  }
}
