import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type SecretKey, WarrenError } from '@warren/base';
import { isWgQuickProblem, parseWgQuick, type WgQuickConf } from '@warren/topology';
import { isMissing } from '../errors.js';

/** What an agent takes over of a host that wg-quick has run so far. */
export interface WgQuickHost {
  /** Of its file. */
  readonly path: string;
  /** Never leaves this host: the member is known by the public key of it. */
  readonly privateKey: SecretKey;
  /** wg-quick names interfaces after their files; absent when the file's name could be none. */
  readonly interfaceName?: string;
  /** Absent: the file has none. */
  readonly listenPort?: number;
  /** Keys of the file that an agent has no use for. */
  readonly unused: readonly string[];
}

/**
 * Reads a wg-quick file.
 * @throws WarrenError `take-over-file` when it cannot be read, is none, or has no private key in it.
 */
export async function readWgQuickHost(path: string): Promise<WgQuickHost> {
  const conf = parseWgQuick(await readText(path));
  if (isWgQuickProblem(conf)) throw unusable(`${path}, line ${conf.line}: ${conf.message}`);
  const { privateKey, listenPort } = conf.interface;
  if (!privateKey) {
    throw unusable(
      `${path} has no PrivateKey: write it there (\`wg show INTERFACE private-key\` while it is up), then join again`,
    );
  }
  const interfaceName = /^([a-zA-Z][a-zA-Z0-9_.-]{0,14})\.conf$/.exec(basename(path))?.[1];
  return {
    ...{ path, privateKey, unused: unusedKeys(conf) },
    ...(interfaceName !== undefined && { interfaceName }),
    ...(listenPort !== undefined && listenPort > 0 && { listenPort }),
  };
}

/** Two programs with one key would take each other's packets. @throws WarrenError `interface-up`. */
export function requireDown({ interfaceName, path }: WgQuickHost, existing: ReadonlySet<string>): void {
  if (interfaceName === undefined || !existing.has(interfaceName)) return;
  const command = path.startsWith('/etc/wireguard/') ? interfaceName : path;
  throw new WarrenError(
    'interface-up',
    `${interfaceName} is still up: run \`wg-quick down ${command}\` first, then join again`,
  );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const why = isMissing(error) ? 'there is no such file' : error instanceof Error ? error.message : String(error);
    throw new WarrenError('take-over-file', `${path}: ${why}: give --take-over the wg-quick file of this host`, {
      cause: error,
    });
  }
}

function unusedKeys({ interface: section }: WgQuickConf): string[] {
  const lists = {
    DNS: section.dns,
    PreUp: section.preUp,
    PostUp: section.postUp,
    PreDown: section.preDown,
    PostDown: section.postDown,
  };
  const keys = Object.entries(lists).flatMap(([key, list]) => (list.length > 0 ? [key] : []));
  return [...keys, ...(section.table === undefined ? [] : ['Table']), ...(section.fwMark ? ['FwMark'] : [])];
}

const unusable = (message: string): WarrenError => new WarrenError('take-over-file', message);
