import { WarrenError } from '@warren/base';
import { type Schemas, take } from '@warren/client';
import { type Command, Option } from 'commander';
import { collect } from './arguments.js';
import {
  byId,
  type CommandContext,
  common,
  confirm,
  destructive,
  given,
  nameable,
  nameOf,
  type Result,
  ROLES,
  type Role,
  run,
} from './command.js';
import { findNode, onNode } from './find-node.js';
import { followNote, lonely } from './follow-note.js';
import {
  checkWritable,
  createKeyPair,
  type KeyPair,
  phoneConf,
  readPresharedKey,
  readPrivateKey,
  svgQr,
  terminalQr,
  withPrivateKey,
  writeSecretFile,
} from './member-file.js';
import type { RestClient } from './rest-client.js';
import { type SettingsOptions, settingsGiven, settingsOptions } from './settings-options.js';

interface InNetwork {
  readonly network?: string;
}
/** Where a member's file goes. */
interface FileOptions {
  readonly output?: string;
  readonly qr?: boolean;
  readonly qrSvg?: string;
}

/** What members without an agent need: their files, keys that read those, preshared keys. */
export function vanillaCommands(node: Command, context: CommandContext): void {
  addCreate(node, context);
  addSet(node, context);
  addConf(node, context);
  addConfigKey(node, context);
  addPresharedKeys(node, context);
}

const fileOptions = (command: Command): Command =>
  command
    .option('--output <file>', 'write the file there, readable by you alone')
    .option('--qr', 'show it as a QR code, for the app of a phone')
    .option('--qr-svg <file>', 'write the QR code there as an image');

function addCreate(node: Command, context: CommandContext): void {
  interface Create extends InNetwork, FileOptions, SettingsOptions {
    readonly name?: string;
    readonly vanilla?: boolean;
    readonly publicKey?: string;
    readonly keyLater?: boolean;
    readonly role: Role;
    readonly endpoint?: string;
    readonly address?: string[];
    readonly tag?: string[];
  }
  const command = nameable(common(node.command('create')))
    .description('add a vanilla member: any official WireGuard client')
    .option('--network <network>', 'name or id', 'default')
    .option('--vanilla', 'make its key pair here and print its whole file; the private key is sent nowhere')
    .addOption(
      new Option('--public-key <key>', 'its WireGuard public key (`wg pubkey`); the private key stays with it'),
    )
    .addOption(
      new Option('--key-later', 'keep name and addresses until its key is told').conflicts(['publicKey', 'vanilla']),
    )
    .addOption(new Option('--role <role>').choices(ROLES).default('client'))
    .option('--endpoint <host:port>', 'how others reach it: direct and bounce; the host may be a dynamic name')
    .option('--address <address>', 'that it shall have; once for IPv4, once for IPv6', collect)
    .option('--tag <tag>', 'may be repeated', collect);
  settingsOptions(fileOptions(command), 'node').action(
    run(context, async (rest, [name], options: Create) => {
      const { network = 'default', role, endpoint, address: addresses, tag: tags } = options;
      if (!options.vanilla && options.publicKey === undefined && !options.keyLater) {
        throw new WarrenError('usage', 'say --vanilla to make its key here, or give --public-key, or --key-later');
      }
      const keys = options.publicKey === undefined && !options.keyLater ? createKeyPair() : undefined;
      const publicKey = keys?.publicKey ?? options.publicKey;
      const optional = given({ publicKey, endpoint, addresses, tags, settings: settingsGiven(options) });
      const body = { network, name: nameOf(name, options), role, ...optional };
      if (keys) await checkWritable(options.output, options.qrSvg);
      const made = await take(rest.POST('/api/v1/nodes', { body }));
      const note = await followNote(rest, made);
      if (!keys) return { answer: made, text: () => `${made.name} ${made.addresses.join(', ')}`, ...given({ note }) };
      return withFile(rest, made, keys, options, note);
    }),
  );
}

/** Its key is nowhere but here: if the file cannot be had, the member is taken back. */
async function withFile(
  rest: RestClient,
  made: Schemas['Node'],
  keys: KeyPair,
  options: FileOptions,
  follow: string | undefined,
): Promise<Result> {
  try {
    const file = await take(rest.GET('/api/v1/nodes/{id}/wg0.conf', { ...byId(made.id), parseAs: 'text' }));
    const notes = [lonely(made.name, file), follow].filter((text) => text !== undefined);
    const note = notes.length === 0 ? undefined : notes.join('\n');
    return { ...(await fileResult(withPrivateKey(file, keys), options, made)), ...given({ note }) };
  } catch (error) {
    await take(rest.DELETE('/api/v1/nodes/{id}', byId(made.id)));
    throw error;
  }
}

/** Writes and prints what was asked for; the file itself unless it went somewhere else. */
async function fileResult(conf: string, options: FileOptions, node: object): Promise<Result> {
  const forPhone = options.qr || options.qrSvg !== undefined ? phoneConf(conf) : undefined;
  const code = options.qr && forPhone !== undefined ? terminalQr(forPhone) : undefined;
  const image = options.qrSvg !== undefined && forPhone !== undefined ? svgQr(forPhone) : undefined;
  if (options.output !== undefined) await writeSecretFile(options.output, conf);
  if (options.qrSvg !== undefined && image !== undefined) await writeSecretFile(options.qrSvg, `${image}\n`);
  const written = [options.output, options.qrSvg].filter((path) => path !== undefined);
  const said = [
    ...(code === undefined ? [] : [code]),
    ...written.map((path) => `wrote ${path}`),
    ...(code === undefined && written.length === 0 ? [conf.replace(/\n$/, '')] : []),
  ];
  return { answer: { ...node, ...(options.output === undefined ? { conf } : {}) }, text: () => said.join('\n') };
}

function addSet(node: Command, context: CommandContext): void {
  interface Set extends InNetwork, SettingsOptions {
    readonly role?: Role;
    readonly endpoint?: string;
    readonly publicKey?: string;
  }
  const command = onNode(node.command('set'), 'change role, endpoint, key, and what its file holds')
    .addOption(new Option('--role <role>', 'direct and bounce need an endpoint').choices(ROLES))
    .option('--endpoint <host:port>', 'how others reach it: direct and bounce')
    .option('--public-key <key>', 'of a vanilla member: it is cut off until it uses that');
  settingsOptions(command, 'node').action(
    run(context, async (rest, [name], options: Set) => {
      const { role, endpoint, publicKey, network } = options;
      const body = given({ role, endpoint, publicKey, settings: settingsGiven(options) });
      if (Object.keys(body).length === 0)
        throw new WarrenError('usage', 'say what to set, such as --role or --endpoint (see --help)');
      const { id } = await findNode(rest, name, network);
      const changed = await take(rest.PATCH('/api/v1/nodes/{id}', { ...byId(id), body }));
      const said = [changed.name, changed.role, changed.endpoint ?? ''].join(' ').trim();
      return { answer: changed, text: () => [said, changed.interruption ?? ''].join('\n').trim() };
    }),
  );
}

function addConf(node: Command, context: CommandContext): void {
  interface Conf extends InNetwork, FileOptions {
    readonly peers?: boolean;
    readonly privateKeyFile?: string;
  }
  const command = onNode(node.command('conf'), 'its wg-quick file, with a placeholder where the private key belongs')
    .option('--peers', 'only the peer sections')
    .option('--private-key-file <file>', 'put the private key in, here; it is sent nowhere');
  fileOptions(command).action(
    run(context, async (rest, [name], options: Conf) => {
      const found = await findNode(rest, name, options.network);
      const request = { ...byId(found.id), parseAs: 'text' } as const;
      if (options.peers) {
        const conf = await take(rest.GET('/api/v1/nodes/{id}/peers.conf', request));
        return fileResult(conf, given({ output: options.output }), {});
      }
      const keys = options.privateKeyFile === undefined ? undefined : await readPrivateKey(options.privateKeyFile);
      if (keys && found.publicKey !== null && found.publicKey !== keys.publicKey) {
        const text = `the key in ${options.privateKeyFile} is not that of ${found.name}: its public key is ${keys.publicKey}, not ${found.publicKey}`;
        throw new WarrenError('key-mismatch', text);
      }
      const conf = await take(rest.GET('/api/v1/nodes/{id}/wg0.conf', request));
      return fileResult(keys ? withPrivateKey(conf, keys) : conf, options, {});
    }),
  );
}

function addConfigKey(node: Command, context: CommandContext): void {
  const key = node.command('config-key').description('a secret that reads the files of one node and nothing else');
  onNode(key.command('create'), 'print a new one, once; the one before it is good no more').action(
    run(context, async (rest, [name], { network }: InNetwork) => {
      const { id } = await findNode(rest, name, network);
      const made = await take(rest.POST('/api/v1/nodes/{id}/config-key', byId(id)));
      return { answer: made, text: () => made.secret };
    }),
  );
  onNode(key.command('delete').alias('rm'), 'take it away').action(
    run(context, async (rest, [name], { network }: InNetwork) => {
      const found = await findNode(rest, name, network);
      await take(rest.DELETE('/api/v1/nodes/{id}/config-key', byId(found.id)));
      return { answer: { deleted: found.id }, text: () => `${found.name} has no config key any more` };
    }),
  );
}

function addPresharedKeys(node: Command, context: CommandContext): void {
  const psk = node.command('psk').description('preshared keys of pairs with a vanilla member');
  const pair = async (rest: RestClient, [name, other]: readonly [string, string], network: string | undefined) => {
    const found = await findNode(rest, name, network);
    const peer = await findNode(rest, other, found.networkId);
    return { found, peer, params: { params: { path: { id: found.id, peer: peer.id } } } };
  };
  onNode(psk.command('set'), 'give a pair one, in the files of the two; a random one unless it is given')
    .argument('<peer>', 'name or id')
    .option('--key-file <file>', 'as `wg genpsk` writes it')
    .action(
      run(context, async (rest, args, { network, keyFile }: InNetwork & { keyFile?: string }) => {
        const presharedKey = keyFile === undefined ? undefined : await readPresharedKey(keyFile);
        const { found, peer, params } = await pair(rest, args, network);
        const body = given({ presharedKey });
        const set = await take(rest.PUT('/api/v1/nodes/{id}/preshared-keys/{peer}', { ...params, body }));
        return { answer: set, text: () => `${found.name} and ${peer.name} have a preshared key` };
      }),
    );
  onNode(psk.command('list').alias('ls'), 'with whom it has one; never the keys').action(
    run(context, async (rest, [name], { network }: InNetwork) => {
      const { id } = await findNode(rest, name, network);
      const answer = await take(rest.GET('/api/v1/nodes/{id}/preshared-keys', byId(id)));
      const columns = [
        { title: 'PEER', cell: (row: Schemas['PresharedKey']) => row.peer },
        { title: 'CREATED', cell: (row: Schemas['PresharedKey']) => row.createdAt },
      ];
      return { answer, text: (screen) => screen.table(columns, answer.items), none: 'it has no preshared keys' };
    }),
  );
  destructive(
    onNode(psk.command('delete').alias('rm'), 'take it away from the pair').argument('<peer>', 'name or id'),
  ).action(
    run(context, async (rest, args, options: InNetwork & { yes?: boolean; json?: boolean }, output) => {
      const { found, peer, params } = await pair(rest, args, options.network);
      await confirm(output, options, 'take the preshared key from', found.name);
      await take(rest.DELETE('/api/v1/nodes/{id}/preshared-keys/{peer}', params));
      return {
        answer: { deleted: peer.id },
        text: () => `${found.name} and ${peer.name} have no preshared key any more`,
      };
    }),
  );
}
