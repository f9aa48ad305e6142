import { connect } from 'node:net';
import { WarrenError } from '@warren/base';
import type { ClientConfig } from '../config.js';
import { socketPath } from '../data-dir.js';
import { readContexts } from './contexts.js';
import { hint } from './suggestion.js';

/** The control plane that a command speaks to. */
export type Target = LocalTarget | RemoteTarget;

export interface LocalTarget {
  readonly kind: 'local';
  readonly dataDir: string;
  /** Which of several ways led here, for people. */
  readonly because: string;
  /** The context that would have been used, had no control plane run here. */
  readonly insteadOf?: string;
}

export interface RemoteTarget {
  readonly kind: 'remote';
  readonly url: string;
  readonly token: string;
  /** Certificates in PEM instead of the system's. */
  readonly ca?: string;
  readonly context?: string;
  readonly because: string;
}

/**
 * Finds the control plane: --context or --data-dir, else WARREN_URL and WARREN_TOKEN, else WARREN_CONTEXT, else one that
 * runs on this machine, else the current context. What was named is used or is an error; nothing takes its place.
 *
 * @throws WarrenError `usage`, `contexts`, `no-context`
 */
export async function findTarget(config: ClientConfig): Promise<Target> {
  const { dataDir, dataDirFrom, context, remote } = config;
  if (context?.from === 'flag') return contextTarget(config, context.name, '--context');
  if (dataDirFrom === 'flag') return { kind: 'local', dataDir, because: '--data-dir' };
  if (remote) return { kind: 'remote', ...remote, because: 'WARREN_URL' };
  if (context) return contextTarget(config, context.name, 'WARREN_CONTEXT');
  if (dataDirFrom === 'environment') return { kind: 'local', dataDir, because: 'WARREN_DATA_DIR' };
  if (await isRunning(dataDir)) {
    // Whoever has chosen a context ought to hear that this one goes before it; a damaged file is not this command's business.
    const current = await readContexts(config.contextsFile).then(
      (contexts) => contexts.current,
      () => undefined,
    );
    const because = 'a control plane runs on this machine';
    return { kind: 'local', dataDir, because, ...(current === undefined ? {} : { insteadOf: current }) };
  }
  const { current } = await readContexts(config.contextsFile);
  if (current !== undefined) return contextTarget(config, current, 'the current context');
  return { kind: 'local', dataDir, because: 'there is no context' };
}

/** What to add to an error, so that nobody looks for it in the wrong control plane; empty where there is only one. */
export function whichTarget(target: Target): string {
  if (target.kind === 'remote') return target.context ? `context ${target.context}` : target.url;
  if (target.insteadOf === undefined) return '';
  return `control plane of this machine; for the context ${target.insteadOf} give --context ${target.insteadOf}`;
}

async function contextTarget(config: ClientConfig, name: string, because: string): Promise<RemoteTarget> {
  const { contexts } = await readContexts(config.contextsFile);
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (!context) throw unknownContext(name, Object.keys(contexts), ` (${because})`);
  const token = context.token ?? config.token;
  if (token === undefined) {
    throw new WarrenError('usage', `the context ${name} keeps no API key, so WARREN_TOKEN must hold one`);
  }
  const { url, ca } = context;
  return { kind: 'remote', url, token, ...(ca === undefined ? {} : { ca }), context: name, because };
}

export function unknownContext(name: string, known: readonly string[], from = ''): WarrenError {
  const otherwise = known.length === 0 ? 'add it with `warren context add`' : `there are ${known.join(', ')}`;
  return new WarrenError(
    'no-context',
    `there is no context ${JSON.stringify(name)}${from}${hint(name, known, otherwise)}`,
  );
}

/** Whether something listens on the data dir's socket: the file alone also stays behind after a kill. */
export async function isRunning(dataDir: string): Promise<boolean> {
  let path: string;
  try {
    path = socketPath(dataDir);
  } catch {
    return false;
  }
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (running: boolean) => () => {
      socket.destroy();
      resolve(running);
    };
    socket.once('connect', done(true)).once('error', done(false));
  });
}
