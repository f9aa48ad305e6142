import { WarrenError } from '@warren/base';

export interface DemoConfig {
  /** End after the first complete round, or after a minute without one. */
  readonly once: boolean;
  /** One JSON object on stdout at the end; implies `once`. */
  readonly json: boolean;
  readonly help: boolean;
}

export const HELP = `npm run demo [-- options]

The five hosts of the classic example on this machine: a control plane, a bounce, a directly reachable server and three
clients behind different NATs, in network namespaces, joined by real agents. Needs root and Linux. Ctrl-C ends it and
leaves nothing behind.

  --once   print the matrix and end: 0 when every host reaches every other over IPv4 and IPv6, else 1
  --json   as --once, the result as JSON
  --help   this text`;

/** @throws WarrenError `usage` for an option that does not exist. */
export function readConfig(args: readonly string[]): DemoConfig {
  const known = ['--once', '--json', '--help'];
  const unknown = args.find((arg) => !known.includes(arg));
  if (unknown !== undefined) throw new WarrenError('usage', `no such option: ${unknown}; --help lists them`);
  const json = args.includes('--json');
  return { once: json || args.includes('--once'), json, help: args.includes('--help') };
}
