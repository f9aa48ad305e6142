import type { Command } from 'commander';
import { limit } from './arguments.js';
import { type CommandContext, type Item, listing, query, run, text } from './command.js';

/** `warren audit`: who changed what. */
export function auditCommands(program: Command, context: CommandContext): void {
  listing(program.command('audit'))
    .description('who changed what, latest first')
    .option('--limit <count>', 'how many', limit, 50)
    .action(
      run(context, async (rest, _, { limit: count }) => ({
        answer: await rest.call('GET', `/audit?${query({ limit: count })}`),
        text: ({ items }: { items: Item[] }, screen) =>
          screen.table(
            [
              { title: 'AT', cell: ({ at }) => screen.ago(at) },
              { title: 'ACTOR', cell: ({ actor }) => text(actor), fit: 'cut' },
              { title: 'ACTION', cell: ({ action }) => text(action) },
              { title: 'SUBJECT', cell: ({ subject }) => text(subject), fit: 'cut' },
            ],
            items,
          ),
        none: 'nothing was changed yet',
      })),
    );
}
