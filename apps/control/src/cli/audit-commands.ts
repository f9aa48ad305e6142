import { type Schemas, take } from '@warren/client';
import type { Command } from 'commander';
import { limit } from './arguments.js';
import { type CommandContext, listing, run } from './command.js';
import type { Column, Screen } from './screen.js';

/** `warren audit`: who changed what. */
export function auditCommands(program: Command, context: CommandContext): void {
  listing(program.command('audit'))
    .description('who changed what, latest first')
    .option('--limit <count>', 'how many', limit, 50)
    .action(
      run(context, async (rest, _, { limit: count }: { limit: number }) => {
        const answer = await take(rest.GET('/api/v1/audit', { params: { query: { limit: count } } }));
        return {
          answer,
          text: (_, screen) => screen.table(columns(screen), answer.items),
          none: 'nothing was changed yet',
        };
      }),
    );
}

const columns = (screen: Screen): Column<Schemas['AuditEntry']>[] => [
  { title: 'AT', cell: ({ at }) => screen.ago(at) },
  { title: 'ACTOR', cell: ({ actor }) => actor, fit: 'cut' },
  { title: 'ACTION', cell: ({ action }) => action },
  { title: 'SUBJECT', cell: ({ subject }) => subject, fit: 'cut' },
];
