import { join } from 'node:path';
import { WarrenError } from '@warren/base';
import type { CommandResult } from '../command.js';
import type { Host } from '../host.js';
import type { HostProcess } from '../host-process.js';
import { meshProgram } from './programs.js';

export interface ControlPlaneOptions {
  readonly logLevel?: string;
  readonly onOutput?: (text: string) => void;
  readonly env?: Readonly<Record<string, string>>;
  /** Further arguments of `warren serve`. */
  readonly args?: readonly string[];
}

export interface RestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const HTTP = '127.0.0.1:8080';
/** The first start makes a database and a certificate authority. */
const START_MS = 60_000;

/** `warren serve` on a public host of the lab, with its embedded database in the host's directory. */
export class ControlPlane {
  private running: HostProcess;
  private apiKey: string | undefined;

  private constructor(
    readonly host: Host,
    private readonly options: ControlPlaneOptions,
  ) {
    this.running = this.serve();
  }

  /** Starts it and waits until hosts can join. */
  static async start(host: Host, options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const control = new ControlPlane(host, options);
    await control.waitUntilReady();
    return control;
  }

  get dataDir(): string {
    return join(this.host.dir, 'control');
  }

  get process(): HostProcess {
    return this.running;
  }

  /** The token of the join line that it prints at the start; one use. */
  async firstToken(): Promise<string> {
    return (await this.waitUntilReady())[1]!;
  }

  /** Starts it once more after it has ended. */
  async restart(): Promise<void> {
    this.running = this.serve();
    await this.waitUntilReady();
  }

  /** Runs a `warren` command beside it. A command that fails is a result. */
  warren(args: readonly string[]): Promise<CommandResult> {
    return this.host.run(meshProgram('warren'), args, { env: { WARREN_DATA_DIR: this.dataDir } });
  }

  /** What the command printed, without the line's end. @throws WarrenError `command-failed`. */
  async warrenOutput(args: readonly string[]): Promise<string> {
    const result = await this.warren(args);
    if (result.code === 0) return result.stdout.trim();
    throw new WarrenError('command-failed', `warren ${args.join(' ')}: exit code ${result.code}: ${result.stderr}`);
  }

  /** A join token; `args` as for `warren token create`. */
  createToken(args: readonly string[] = []): Promise<string> {
    return this.warrenOutput(['token', 'create', ...args]);
  }

  /** One REST call with an API key, from the control plane's own host. */
  async rest(method: string, path: string, body?: unknown): Promise<RestAnswer> {
    this.apiKey ??= await this.warrenOutput(['apikey', 'create', 'lab']);
    const call = { url: `http://${HTTP}/api/v1${path}`, method, key: this.apiKey, body };
    const { stdout, stderr } = await this.host.run(process.execPath, ['-e', REST_CALL], {
      input: JSON.stringify(call),
    });
    if (stdout === '') throw new WarrenError('rest-failed', `${method} ${path}: ${stderr}`);
    return JSON.parse(stdout) as RestAnswer;
  }

  private serve(): HostProcess {
    const { logLevel, onOutput, env = {}, args = [] } = this.options;
    const listen = ['--http', HTTP, '--agents', '0.0.0.0:8443', '--public-host', this.host.ipv4];
    const level = logLevel === undefined ? [] : ['--log-level', logLevel];
    const spawned = { env, ...(onOutput ? { onOutput } : {}) };
    const line = ['serve', '--data-dir', this.dataDir, ...listen, ...level, ...args];
    return this.host.spawn(meshProgram('warren'), line, spawned);
  }

  private waitUntilReady(): Promise<RegExpExecArray> {
    return this.running.waitForOutput(/agent join --token (\S+)/, START_MS);
  }
}

/** Run by node on the host, because REST listens on the host's loopback only. */
const REST_CALL = `
let text = '';
process.stdin.on('data', (part) => { text += part; }).on('end', async () => {
  const { url, method, key, body } = JSON.parse(text);
  const headers = { authorization: 'Bearer ' + key, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const answer = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const result = { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
  process.stdout.write(JSON.stringify(result));
});`;
