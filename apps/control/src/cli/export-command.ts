import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SecretKey, toBase64, WarrenError } from '@warren/base';
import { type Schemas, take } from '@warren/client';
import { isWgQuickProblem, PRIVATE_KEY_PLACEHOLDER, parseWgQuick } from '@warren/topology';
import type { Command } from 'commander';
import { isName } from '../names.js';
import { byId, type CommandContext, common, run } from './command.js';
import { publicKeyOf } from './import-command.js';

type ExportedNode = Schemas['Export']['files'][number];
interface ExportOptions {
  readonly network: string;
  readonly output: string;
  readonly privateKeys?: string;
  readonly force?: boolean;
}

/** `warren export` */
export function exportCommand(program: Command, context: CommandContext): void {
  common(program.command('export'))
    .description('write one wg-quick file for each node, as if none had an agent')
    .option('--network <network>', 'name or id', 'default')
    .option('--output <directory>', 'where to; made if it is not there', '.')
    .option('--private-keys <directory>', 'holds NAME.key or NAME.conf: their private keys are filled in, here')
    .option('--force', 'overwrite files that are there')
    .action(
      run(context, async (rest, _, { network, output, privateKeys, force }: ExportOptions) => {
        const exported = await take(rest.GET('/api/v1/networks/{id}/export', byId(network)));
        for (const { node } of exported.files) requireFileName(node);
        const files = await Promise.all(
          exported.files.map(async (file) => ({
            path: join(output, `${file.node}.conf`),
            ...(await withPrivateKey(file, privateKeys)),
          })),
        );
        await mkdir(output, { recursive: true, mode: 0o700 });
        if (force !== true) for (const { path } of files) await requireFree(path);
        for (const file of files) await writeFile(file.path, file.text, force === true);
        const made = files.map(({ path, filled }) => ({ path, privateKey: filled }));
        return { answer: { network: exported.network, files: made }, text: () => render(made) };
      }),
    );
}

/** Names come from elsewhere and become paths, of files that are written and of private keys that are read. */
function requireFileName(node: string): void {
  if (isName(node)) return;
  throw new WarrenError(
    'unreachable',
    `the answer is not from a control plane: ${JSON.stringify(node)} is no node’s name`,
  );
}

function render(files: readonly { path: string; privateKey: boolean }[]): string {
  if (files.length === 0) return 'the network has no active nodes: nothing was written';
  const lines = files.map(({ path }) => path);
  const open = files.filter(({ privateKey }) => !privateKey).length;
  const todo = `${open} of them need their private key, on their hosts, in place of ${PRIVATE_KEY_PLACEHOLDER}`;
  return [...lines, ...(open > 0 ? [todo] : [])].join('\n');
}

/** @throws WarrenError `private-key-wrong` when the folder has another key for the node. */
async function withPrivateKey(
  file: ExportedNode,
  folder: string | undefined,
): Promise<{ text: string; filled: boolean }> {
  if (!file.text.includes(PRIVATE_KEY_PLACEHOLDER)) return { text: file.text, filled: true };
  const found = folder === undefined ? undefined : await privateKeyIn(folder, file.node);
  if (!found) return { text: file.text, filled: false };
  if (publicKeyOf(found.key) !== file.publicKey) {
    throw new WarrenError(
      'private-key-wrong',
      `${found.path} is not the private key of ${file.node}, nothing was written`,
    );
  }
  return { text: file.text.replace(PRIVATE_KEY_PLACEHOLDER, () => toBase64(found.key.expose())), filled: true };
}

async function privateKeyIn(folder: string, node: string): Promise<{ path: string; key: SecretKey } | undefined> {
  for (const path of [join(folder, `${node}.key`), join(folder, `${node}.conf`)]) {
    const content = await readIfThere(path);
    if (content === undefined) continue;
    const conf = path.endsWith('.conf') ? parseWgQuick(content) : undefined;
    const key = conf ? !isWgQuickProblem(conf) && conf.interface.privateKey : SecretKey.parse(content.trim());
    if (key) return { path, key };
    if (!conf)
      throw new WarrenError(
        'private-key-wrong',
        `${path} must hold the base64 of 32 bytes, as \`wg genkey\` prints it`,
      );
  }
  return undefined;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new WarrenError('private-key-wrong', `${path} cannot be read: ${message}`, { cause: error });
  }
}

/** Before the first one is written: all of them, or none. @throws WarrenError `file-exists`. */
async function requireFree(path: string): Promise<void> {
  if ((await readIfThere(path)) === undefined) return;
  throw new WarrenError('file-exists', `${path} is there already: give another --output, or --force`);
}

/** 0600: it holds preshared keys, and soon a private one. @throws WarrenError `file-exists`. */
async function writeFile(path: string, content: string, force: boolean): Promise<void> {
  try {
    const file = await open(path, force ? 'w' : 'wx', 0o600);
    try {
      await file.chmod(0o600);
      await file.writeFile(content);
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === 'EEXIST' ? 'is there already: give another --output, or --force' : `cannot be written: ${message}`;
    throw new WarrenError(code === 'EEXIST' ? 'file-exists' : 'export-file', `${path} ${why}`, { cause: error });
  }
}
