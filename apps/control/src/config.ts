import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseHostPort, parseIpAddress, WarrenError } from '@warren/base';
import { parseDuration } from './duration.js';

/** A listening address; port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Everything that `warren serve` can be told. */
export interface ServeConfig {
  readonly dataDir: string;
  /** Absent: the embedded database. */
  readonly databaseUrl?: string;
  readonly http: ListenAddress;
  readonly agents: readonly ListenAddress[];
  readonly stun: ListenAddress;
  readonly publicHost?: string;
  readonly logLevel: LogLevel;
  /** 32 bytes that seal secrets in the database; absent: kept in the data dir. Replicas share it. */
  readonly sealingKey?: Uint8Array;
  /** Milliseconds after which a bounce without a stream is held for dead; tests shorten it. */
  readonly bounceGrace?: number;
  /** Milliseconds after which an ephemeral node without a stream is removed. */
  readonly ephemeralGrace?: number;
}

/** What says where a command finds the control plane. */
export interface ClientConfig {
  readonly dataDir: string;
  readonly dataDirFrom: 'flag' | 'environment' | 'default';
  readonly context?: { readonly name: string; readonly from: 'flag' | 'environment' };
  /** WARREN_URL and WARREN_TOKEN. */
  readonly remote?: { readonly url: string; readonly token: string };
  /** WARREN_TOKEN, for contexts that keep no API key. */
  readonly token?: string;
  readonly contextsFile: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;
type Flags = Readonly<Record<string, string | undefined>>;

/** Flag, environment variable, default and meaning of each setting: the table that help and parsing share. */
export const SERVE_SETTINGS = [
  ['data-dir', 'WARREN_DATA_DIR', defaultDataDir(), 'embedded database, certificate authority, secrets'],
  ['database-url', 'DATABASE_URL', undefined, 'external PostgreSQL instead of the embedded one'],
  ['http', 'WARREN_HTTP', '127.0.0.1:8080', 'address of REST and its documentation'],
  ['agents', 'WARREN_AGENTS', '0.0.0.0:8443', 'comma-separated TLS addresses for agents'],
  ['stun', 'WARREN_STUN', '0.0.0.0:3478', 'UDP address of STUN, signalling and relay; [::]:3478 serves IPv6 too'],
  ['public-host', 'WARREN_PUBLIC_HOST', undefined, 'name or address by which agents reach this machine'],
  ['log-level', 'WARREN_LOG_LEVEL', 'info', LOG_LEVELS.join(', ')],
] as const;

/** The same for `warren signal`. */
export const SIGNAL_SETTINGS = [
  ['token', 'WARREN_SIGNAL_TOKEN', undefined, 'from `warren signal token`; needed at the first start only'],
  ['data-dir', 'WARREN_SIGNAL_DATA_DIR', defaultDataDir('signal'), 'keys, certificate, revocations'],
  ['agents', 'WARREN_AGENTS', '0.0.0.0:8443', 'comma-separated TLS addresses of the relay'],
  ['stun', 'WARREN_STUN', '0.0.0.0:3478', 'UDP address of STUN, signalling and relay; [::]:3478 serves IPv6 too'],
  ['public-host', 'WARREN_PUBLIC_HOST', undefined, 'name or address by which agents reach this machine'],
  ['log-level', 'WARREN_LOG_LEVEL', 'info', LOG_LEVELS.join(', ')],
] as const;

/** Everything that `warren signal` can be told. */
export interface SignalConfig {
  readonly dataDir: string;
  readonly token?: string;
  readonly agents: readonly ListenAddress[];
  readonly stun: ListenAddress;
  readonly publicHost?: string;
  readonly logLevel: LogLevel;
}

/** @throws WarrenError `usage` naming the flag that is wrong. */
export function readSignalConfig(flags: Flags, env: Environment): SignalConfig {
  const value = settingReader(SIGNAL_SETTINGS, flags, env);
  const [token, publicHost] = [value('token'), value('public-host')];
  if (publicHost !== undefined) checkHost(publicHost);
  return {
    dataDir: resolve(value('data-dir')!),
    ...(token ? { token } : {}),
    agents: listenAddresses(value('agents')!),
    stun: listenAddress('stun', value('stun')!),
    ...(publicHost ? { publicHost } : {}),
    logLevel: logLevel(value('log-level')!),
  };
}

type Setting = readonly [flag: string, variable: string, fallback: string | undefined, meaning: string];

/** Flag beats environment beats default. */
const settingReader =
  (settings: readonly Setting[], flags: Flags, env: Environment) =>
  (flag: string): string | undefined => {
    const setting = settings.find(([name]) => name === flag);
    return flags[camel(flag)] ?? (env[setting![1]] || undefined) ?? setting![2];
  };

function listenAddresses(text: string): ListenAddress[] {
  const addresses = text.split(',').map((address) => listenAddress('agents', address.trim()));
  if (addresses.length > 8) throw usage('--agents takes at most 8 addresses, because tokens list them all');
  return addresses;
}

/** @throws WarrenError `usage` naming the flag that is wrong. */
export function readServeConfig(flags: Flags, env: Environment): ServeConfig {
  const value = settingReader(SERVE_SETTINGS, flags, env);
  const agents = listenAddresses(value('agents')!);
  const databaseUrl = value('database-url');
  if (databaseUrl && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    throw usage('--database-url must begin with postgres:// or postgresql://');
  }
  const publicHost = value('public-host');
  if (publicHost !== undefined) checkHost(publicHost);
  const sealingKey = env.WARREN_SEALING_KEY ? parseSealingKey(env.WARREN_SEALING_KEY) : undefined;
  return {
    dataDir: resolve(value('data-dir')!),
    ...(databaseUrl ? { databaseUrl } : {}),
    http: listenAddress('http', value('http')!),
    agents,
    stun: listenAddress('stun', value('stun')!),
    ...(publicHost ? { publicHost } : {}),
    logLevel: logLevel(value('log-level')!),
    ...(sealingKey ? { sealingKey } : {}),
    ...(env.WARREN_BOUNCE_GRACE ? { bounceGrace: parseGrace('WARREN_BOUNCE_GRACE', env) } : {}),
    ...(env.WARREN_EPHEMERAL_GRACE ? { ephemeralGrace: parseGrace('WARREN_EPHEMERAL_GRACE', env) } : {}),
  };
}

/** @throws WarrenError `usage` when WARREN_URL is to be used and is no URL, or WARREN_TOKEN is not set. */
export function readClientConfig(flags: Flags, env: Environment): ClientConfig {
  if (flags.dataDir !== undefined && flags.context !== undefined)
    throw usage('give --context or --data-dir, not both: each names a control plane');
  const dataDir = resolve(flags.dataDir ?? (env.WARREN_DATA_DIR || defaultDataDir()));
  const dataDirFrom = flags.dataDir !== undefined ? 'flag' : env.WARREN_DATA_DIR ? 'environment' : 'default';
  const name = flags.context ?? (env.WARREN_CONTEXT || undefined);
  const remote = flags.dataDir === undefined && flags.context === undefined ? readRemote(env) : undefined;
  return {
    dataDir,
    dataDirFrom,
    ...(name === undefined ? {} : { context: { name, from: flags.context === undefined ? 'environment' : 'flag' } }),
    ...(remote ? { remote } : {}),
    ...(env.WARREN_TOKEN ? { token: env.WARREN_TOKEN } : {}),
    contextsFile: join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'warren', 'contexts.json'),
  };
}

function readRemote(env: Environment): ClientConfig['remote'] {
  const url = env.WARREN_URL;
  if (!url) return undefined;
  if (!/^https?:\/\/[^/]/.test(url) || !URL.canParse(url)) throw usage('WARREN_URL must be an http:// or https:// URL');
  if (!env.WARREN_TOKEN)
    throw usage('WARREN_URL is set, so WARREN_TOKEN must hold an API key (`warren apikey create`)');
  return { url: url.replace(/\/+$/, ''), token: env.WARREN_TOKEN };
}

/** In the repository for a checkout, whatever the working directory; a system directory when installed. */
function defaultDataDir(of: 'control' | 'signal' = 'control'): string {
  const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
  if (!existsSync(`${root}/pnpm-workspace.yaml`)) return `/var/lib/warren-${of}`;
  return of === 'control' ? `${root}/.warren` : `${root}/.warren-signal`;
}

function listenAddress(flag: string, text: string): ListenAddress {
  const random = /^(.*):0$/.exec(text);
  const parsed = parseHostPort(random ? `${random[1]}:1` : text);
  if (!parsed)
    throw usage(`--${flag} takes address:port, such as 127.0.0.1:8080 or [::1]:8080, not ${JSON.stringify(text)}`);
  return { host: parsed.host, port: random ? 0 : parsed.port };
}

function checkHost(host: string): void {
  const bracketed = host.includes(':') ? `[${host}]:1` : `${host}:1`;
  if (!parseHostPort(bracketed)) {
    throw usage(`--public-host takes a name or an address without port, not ${JSON.stringify(host)}`);
  }
  if (parseIpAddress(host) === '0.0.0.0' || parseIpAddress(host) === '::') {
    throw usage('--public-host must be an address that agents can reach, not the wildcard');
  }
}

function logLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (!level) throw usage(`--log-level is one of ${LOG_LEVELS.join(', ')}, not ${JSON.stringify(text)}`);
  return level;
}

function parseSealingKey(text: string): Uint8Array {
  const key = Buffer.from(text, 'base64');
  if (key.length !== 32) throw usage('WARREN_SEALING_KEY must be the base64 of 32 bytes (`openssl rand -base64 32`)');
  return key;
}

/** Shorter than a second, the database's answers would decide. */
function parseGrace(name: string, env: Environment): number {
  const text = env[name] ?? '';
  const grace = parseDuration(text);
  if (grace === undefined || grace < 1_000) {
    throw usage(`${name} must be a duration of at least 1s, such as 15s, not ${JSON.stringify(text)}`);
  }
  return grace;
}

/** `data-dir` → `dataDir`, as commander names options. */
const camel = (flag: string): string => flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
const usage = (message: string): WarrenError => new WarrenError('usage', message);
