import { type Schemas, take } from '@warren/client';
import type { Command } from 'commander';
import { byId, type CommandContext, common, listing, run } from './command.js';
import { everyPage } from './rest-client.js';
import type { Column, Screen } from './screen.js';

/** `warren session`: who is signed in to the dashboard; `warren admin`: how to get in. */
export function sessionCommands(program: Command, context: CommandContext): void {
  const admin = program.command('admin').description('the user of the dashboard');
  common(admin.command('link'))
    .description('make a link that sets the password of the dashboard; prints it alone, once')
    .action(
      run(context, async (rest) => {
        const made = await take(rest.POST('/api/v1/session/links'));
        return {
          answer: made,
          text: () => made.url,
          note: `open it in a browser: it sets the password, once, until ${made.expiresAt}`,
        };
      }),
    );
  const session = program.command('session').description('browsers that are signed in to the dashboard');
  listing(session.command('list').alias('ls'))
    .description('all of them')
    .action(
      run(context, async (rest) => {
        const answer = await everyPage((query) => rest.GET('/api/v1/sessions', { params: { query } }));
        return {
          answer,
          text: (screen) => screen.table(columns(screen), answer.items),
          none: 'nobody is signed in: `warren admin link` makes a link that lets you in',
        };
      }),
    );
  common(session.command('revoke').argument('<id>'))
    .description('end one: that browser has to sign in again')
    .action(
      run(context, async (rest, [id]) => {
        await take(rest.DELETE('/api/v1/sessions/{id}', byId(id)));
        return { answer: { revoked: id }, text: () => `revoked ${id}` };
      }),
    );
}

const columns = (screen: Screen): Column<Schemas['Session']>[] => [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'USER', cell: ({ user }) => user.name },
  { title: 'FROM', cell: ({ address }) => address ?? '' },
  { title: 'BROWSER', cell: ({ userAgent }) => userAgent ?? '', fit: 'cut' },
  { title: 'LAST SEEN', cell: ({ lastSeenAt }) => screen.ago(lastSeenAt) },
  { title: 'EXPIRES', cell: ({ expiresAt }) => screen.ago(expiresAt) },
  { title: 'SINCE', cell: ({ createdAt }) => screen.ago(createdAt), fit: 'drop' },
];
