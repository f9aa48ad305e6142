import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type PublicKey, publicKeyFromBytes, type SecretKey, WarrenError } from '@warren/base';
import { type Schemas, take } from '@warren/client';
import { nobleProvider } from '@warren/crypto';
import { withoutPrivateKeys } from '@warren/topology';
import type { Command } from 'commander';
import { collect } from './arguments.js';
import { byId, type CommandContext, common, given, run } from './command.js';
import type { RestClient } from './rest-client.js';
import type { Column, Screen, Tone } from './screen.js';

const COLUMNS: readonly Column<Plan['nodes'][number]>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'ROLE', cell: ({ role }) => role },
  { title: 'ADDRESSES', cell: ({ addresses }) => addresses.join(', '), fit: 'cut' },
  { title: 'ENDPOINT', cell: ({ endpoint }) => endpoint ?? '-', fit: 'cut' },
  { title: 'FILE', cell: ({ file }) => file ?? '-', fit: 'drop' },
];
const LEVELS: Readonly<Record<string, Tone>> = { conflict: 'bad', 'not-carried-over': 'warning', completed: 'good' };
type Plan = Schemas['Import'];
/** Longest file that is read; the control plane takes no longer ones either. */
const MAX_FILE = 1_000_000;

interface ImportOptions {
  readonly network: string;
  readonly cidr?: string[];
  readonly endpoint?: readonly string[];
  readonly dryRun?: boolean;
}

/** `warren import` */
export function importCommand(program: Command, context: CommandContext): void {
  common(program.command('import').argument('<file...>', 'wg-quick files of the hosts, or folders of them'))
    .description('make a network of the wg-quick files of a running one; private keys stay here')
    .option(
      '--network <network>',
      'made if there is none of that name; one that is there must have no members',
      'default',
    )
    .option('--cidr <prefix>', 'prefix of the network, where the files do not say it; repeat it for more', collect)
    .option('--endpoint <name=host:port>', 'how others reach a node, where no file says it; repeat it', collect)
    .option('--dry-run', 'only say what would be made')
    .action(
      run(context, async (rest, args, options: ImportOptions) => {
        const endpoints = endpointsOf(options.endpoint);
        const files = await readFiles(args[0] as unknown as readonly string[]);
        requireSecrecy(rest, files);
        const wanted = { files, ...given({ cidrs: options.cidr, endpoints }) };
        const ask = (dryRun: boolean): Promise<Plan> =>
          take(rest.POST('/api/v1/networks/{id}/import', { ...byId(options.network), body: { ...wanted, dryRun } }));
        const plan = await ask(true);
        const refused = plan.report.filter(({ level }) => level === 'conflict');
        if (refused.length > 0 && !options.dryRun) throw conflictError(refused);
        const answer = options.dryRun ? plan : await ask(false);
        return { answer, text: () => render(answer, context.screen) };
      }),
    );
}

/** Everything that stops it in one error of one line: scripts read the list from `--dry-run --json`. */
function conflictError(notes: Plan['report']): WarrenError {
  const shown = notes.map((note) => `${placeOf(note)}${note.message}`).join('; ');
  return new WarrenError('import-conflict', `nothing was imported: ${shown}`);
}

function render({ network, nodes, report, cidrs, dryRun, presharedKeys }: Plan, screen: Screen): string {
  const pairs = presharedKeys ? `, preshared keys: ${presharedKeys}` : '';
  const verb = dryRun ? 'would have' : 'has';
  const head = `network ${network} ${verb} ${cidrs.join(', ')} and ${nodes.length} nodes${pairs}`;
  const notes = report.map(
    (note) =>
      `${screen.tone(note.level.padEnd('not-carried-over'.length), LEVELS[note.level])}  ${placeOf(note)}${note.message}`,
  );
  return [head, '', screen.table(COLUMNS, nodes), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

const placeOf = ({ file, line }: Plan['report'][number]): string =>
  file === null ? '' : `${file}${line === null ? '' : `:${line}`}: `;

interface SentFile {
  readonly name: string;
  readonly text: string;
}

/** The files as they may be sent: without private keys. @throws WarrenError `import-file`. */
async function readFiles(paths: readonly string[]): Promise<SentFile[]> {
  const found = (await Promise.all(paths.map(filesAt))).flat();
  if (found.length === 0) throw new WarrenError('import-file', `no file ends in .conf in ${paths.join(', ')}`);
  const names = found.map((path) => relative('.', path));
  return Promise.all(
    found.map(async (path, index): Promise<SentFile> => {
      const name = names[index]!.replace(/^(\.\.\/)+/, '');
      const redacted = withoutPrivateKeys(await readText(path), publicKeyOf);
      if ('message' in redacted)
        throw new WarrenError('import-file', `${path}, line ${redacted.line}: ${redacted.message}`);
      return { name, text: redacted.text };
    }),
  );
}

async function filesAt(path: string): Promise<string[]> {
  const info = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!info.isDirectory()) return [path];
  const names = await readdir(path);
  return names
    .filter((name) => name.endsWith('.conf'))
    .sort()
    .map((name) => join(path, name));
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > MAX_FILE) throw new WarrenError('import-file', `${path} is too long to be a wg-quick file`);
    // In UTF-16 nothing would look like a private key, and all of it would be sent.
    if (bytes.includes(0)) throw new WarrenError('import-file', `${path} is no text in UTF-8: save it as such first`);
    return bytes.toString('utf8');
  } catch (error) {
    throw error instanceof WarrenError ? error : unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): WarrenError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'it may not be read: run this as root' : message;
  return new WarrenError('import-file', `${path}: ${why}`, { cause: error });
}

/** The public key of a private one, worked out on this machine. */
export const publicKeyOf = (key: SecretKey): PublicKey => publicKeyFromBytes(nobleProvider.publicKey(key.expose()));

function endpointsOf(words: readonly string[] | undefined): Record<string, string> | undefined {
  if (words === undefined) return undefined;
  return Object.fromEntries(
    words.map((word) => {
      const [, name, endpoint] = /^([^=]+)=(.+)$/.exec(word) ?? [];
      if (name === undefined || endpoint === undefined) {
        throw new WarrenError('usage', `--endpoint ${word}: give NAME=HOST:PORT, such as server=203.0.113.5:51820`);
      }
      return [name, endpoint];
    }),
  );
}

/** Preshared keys go with the files: not through an open wire. */
function requireSecrecy({ target }: RestClient, files: readonly SentFile[]): void {
  if (target.kind === 'local' || !/^http:\/\//i.test(target.url)) return;
  if (/^http:\/\/(localhost|127\.[\d.]+|\[::1\])([:/]|$)/i.test(target.url)) return;
  const holder = files.find((file) => /^\s*PresharedKey\s*=/im.test(file.text));
  if (!holder) return;
  const todo = 'use https, or run the command on the control plane’s machine';
  throw new WarrenError(
    'not-private',
    `${holder.name} holds preshared keys, and ${target.url} is not encrypted: ${todo}`,
  );
}
