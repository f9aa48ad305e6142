import { type Schemas, take } from '@warren/client';
import type { Command } from 'commander';
import { limit, moment } from './arguments.js';
import { type CommandContext, given, listing, type Result, run } from './command.js';
import { dataOf, followEvents, subjectText } from './event-commands.js';
import type { RestClient } from './rest-client.js';
import type { Column, Screen } from './screen.js';

type Entry = Schemas['AuditEntry'];

interface AuditOptions {
  readonly limit: number;
  readonly network?: string;
  readonly action?: string;
  readonly actor?: string;
  readonly subject?: string;
  readonly since?: string;
  readonly until?: string;
  readonly json?: boolean;
}

/** `warren audit`: who changed what. */
export function auditCommands(program: Command, context: CommandContext): void {
  listing(program.command('audit'))
    .description('who changed what, latest first')
    .option('--limit <count>', 'how many', limit, 50)
    .option('--network <network>', 'name or id; the id also of one that is gone')
    .option('--action <action>', 'such as node.revoke, or node. for all about nodes')
    .option('--actor <actor>', 'such as local, control or apikey:ID')
    .option('--subject <id>', 'of what it was done to')
    .option('--since <time>', 'such as 2026-01-31T12:00:00Z, or 2h for two hours ago', moment)
    .option('--until <time>', 'the same', moment)
    .option('--follow', 'the last ones first, then what comes, until it is stopped')
    .action((options: AuditOptions & { follow?: boolean }, command: Command) =>
      options.follow ? followAudit(context, options, command) : show(context)(options, command),
    );
}

const show = (context: CommandContext) =>
  run(context, async (rest, _, options: AuditOptions): Promise<Result> => {
    const answer = await list(rest, options);
    return {
      answer,
      text: (screen) => screen.table(columns(screen), answer.items),
      none: 'no such entries',
    };
  });

const list = (rest: RestClient, { limit: count, network, action, actor, subject, since, until }: AuditOptions) => {
  const query = { limit: count, ...given({ network, action, actor, subject, since, until }) };
  return take(rest.GET('/api/v1/audit', { params: { query } }));
};

/** Oldest first, as the lines come that follow. With `--json` an entry a line. */
async function followAudit(context: CommandContext, options: AuditOptions, command: Command): Promise<void> {
  const { output, screen } = context;
  const rest = await context.client(command);
  const shown = new Set<string>();
  const print = (entry: Entry): void => {
    if (shown.has(entry.id)) return;
    const { at, actor, action, subject, details } = entry;
    const words = [{ text: at, tone: 'dim' } as const, actor, action, subjectText(subject, details)];
    output.out(`${options.json ? JSON.stringify(entry) : screen.line(words)}\n`);
  };
  await followEvents(rest, context, {
    ...given({ network: options.network }),
    onOpen: async () => {
      const { items } = await list(rest, options);
      for (const entry of items.toReversed()) print(entry);
      for (const { id } of items) shown.add(id);
    },
    onEvent: (event) => {
      const { auditId, at = '', actor = '', subject = '', networkId = null, details = {} } = dataOf(event);
      const entry: Entry = { id: auditId ?? '', at, actor, action: event.event, networkId, subject, details };
      // What is only observed, such as who is online, is in no log.
      if (auditId !== undefined && matches(entry, options)) print(entry);
    },
  });
}

/** As REST filters the log. */
function matches(entry: Entry, { action, actor, subject, until }: AuditOptions): boolean {
  if (action !== undefined && !(action.endsWith('.') ? entry.action.startsWith(action) : entry.action === action))
    return false;
  if (until !== undefined && Date.parse(entry.at) > Date.parse(until)) return false;
  return (actor === undefined || entry.actor === actor) && (subject === undefined || entry.subject === subject);
}

const columns = (screen: Screen): Column<Entry>[] => [
  { title: 'AT', cell: ({ at }) => screen.ago(at) },
  { title: 'ACTOR', cell: ({ actor }) => actor, fit: 'cut' },
  { title: 'ACTION', cell: ({ action }) => action },
  { title: 'SUBJECT', cell: ({ subject, details }) => subjectText(subject, details), fit: 'cut' },
];
