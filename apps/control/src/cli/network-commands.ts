import { WarrenError } from '@warren/base';
import { type Schemas, take } from '@warren/client';
import { type Command, Option } from 'commander';
import { addressCommands } from './address-commands.js';
import { absence, collect, duration, mtu } from './arguments.js';
import {
  byId,
  type CommandContext,
  common,
  confirm,
  destructive,
  given,
  listing,
  nameable,
  nameOf,
  run,
} from './command.js';
import { fileResult, shown } from './fields.js';
import { everyPage } from './rest-client.js';
import type { Column } from './screen.js';
import { type SettingsOptions, settingsGiven, settingsOptions } from './settings-options.js';

const COLUMNS: readonly Column<Schemas['Network']>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'CIDRS', cell: ({ cidrs }) => cidrs.join(', '), fit: 'cut' },
  { title: 'MTU', cell: ({ mtu: bytes }) => String(bytes), fit: 'drop' },
  { title: 'REVISION', cell: ({ revision }) => String(revision), fit: 'drop' },
  { title: 'ID', cell: ({ id }) => id, fit: 'drop' },
];

interface Settings {
  readonly name?: string;
  readonly mtu?: number;
  readonly pool?: string[];
  readonly pools: boolean;
  readonly offlineTolerance?: string;
  readonly keyExpiry?: string;
  readonly keyRotation?: string;
  readonly ephemeralAfter?: string;
}

/** As REST wants them: null where the word is no duration. */
function times({ offlineTolerance, keyExpiry, keyRotation, ephemeralAfter }: Settings) {
  const orNull = (word: string | undefined) => (word === 'never' || word === 'default' ? null : word);
  return {
    offlineTolerance: orNull(offlineTolerance),
    keyExpiry: orNull(keyExpiry),
    keyRotation: orNull(keyRotation),
    ephemeralAfter: orNull(ephemeralAfter),
  };
}

export function networkCommands(program: Command, context: CommandContext): void {
  const network = program.command('network').description('networks: prefixes that nodes get addresses from');
  addCreate(network, context);
  listing(network.command('list').alias('ls'))
    .description('all networks')
    .action(
      run(context, async (rest) => {
        const answer = await everyPage((query) => rest.GET('/api/v1/networks', { params: { query } }));
        return {
          answer,
          text: (screen) => screen.table(COLUMNS, answer.items),
          none: 'no networks: make one with `warren network create`',
        };
      }),
    );
  common(network.command('show').argument('<network>', 'name or id'))
    .description('one network')
    .action(run(context, async (rest, [id]) => shown(await take(rest.GET('/api/v1/networks/{id}', byId(id))))));
  addSet(network, context);
  addressCommands(network, context);
  common(network.command('conf').argument('<network>', 'name or id'))
    .description('the peers.conf that all its clients may follow: bounces and direct nodes')
    .action(
      run(context, async (rest, [id]) => {
        const conf = await take(rest.GET('/api/v1/networks/{id}/peers.conf', { ...byId(id), parseAs: 'text' }));
        return fileResult(conf);
      }),
    );
  destructive(common(network.command('delete').alias('rm').argument('<network>', 'name or id')))
    .description('delete a network without active nodes')
    .action(
      run(context, async (rest, [id], options, output) => {
        const { name } = await take(rest.GET('/api/v1/networks/{id}', byId(id)));
        await confirm(output, options, 'delete', name);
        await take(rest.DELETE('/api/v1/networks/{id}', byId(id)));
        return { answer: { deleted: id }, text: () => `deleted ${name}` };
      }),
    );
}

function addCreate(network: Command, context: CommandContext): void {
  nameable(common(network.command('create')))
    .description('make a network')
    .requiredOption('--cidr <prefix>', 'such as 10.45.0.0/16; repeat it for IPv6', collect)
    .option('--mtu <bytes>', 'inner MTU', mtu)
    .option('--pool <prefix>', 'hand addresses out of this part only; may be repeated', collect)
    .action(
      run(context, async (rest, [name], options: { name?: string; cidr: string[]; mtu?: number; pool?: string[] }) => {
        const { cidr: cidrs, mtu: bytes, pool: pools } = options;
        const body = { name: nameOf(name, options), cidrs, ...given({ mtu: bytes, pools }) };
        const made = await take(rest.POST('/api/v1/networks', { body }));
        return { answer: made, text: () => `${made.name} ${made.cidrs.join(', ')}` };
      }),
    );
}

function addSet(network: Command, context: CommandContext): void {
  const command = common(network.command('set').argument('<network>', 'name or id'))
    .description('change a network, and what the files of its vanilla members hold')
    .option('--name <name>', 'rename it')
    .option('--mtu <bytes>', 'inner MTU', mtu)
    .option('--pool <prefix>', 'hand addresses out of this part only; may be repeated', collect)
    .addOption(new Option('--no-pools', 'hand addresses out of the whole network').conflicts('pool'))
    .option(
      '--offline-tolerance <duration>',
      'how long agents go on without the control plane, or never: no limit',
      duration,
    )
    .option('--key-expiry <duration>', 'how long the keys of agents are good, or never: for ever', duration)
    .option('--key-rotation <duration>', 'the age at which agents change their key by themselves, or never', duration)
    .option('--ephemeral-after <duration>', 'how long ephemeral nodes may be gone, or default', absence);
  settingsOptions(command, 'network').action(
    run(context, async (rest, [id], options: Settings & SettingsOptions) => {
      const pools = options.pools ? options.pool : [];
      const settings = settingsGiven({ ...options, mtu: undefined });
      const body = given({ name: options.name, mtu: options.mtu, pools, settings, ...times(options) });
      if (Object.keys(body).length === 0) {
        throw new WarrenError('usage', 'say what to set, such as --name or --mtu (see --help)');
      }
      return shown(await take(rest.PATCH('/api/v1/networks/{id}', { ...byId(id), body })));
    }),
  );
}
