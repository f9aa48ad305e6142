import { type FSWatcher, watch } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DeviceChange, DeviceSettings } from '../device-settings-api.js';
import { problemOf, protocolProblem, type UapiProblem } from './errno.js';
import { isProblem, parseSet } from './parse-set.js';
import { renderGet } from './render-get.js';
import { RequestReader, type UapiRequest } from './request-reader.js';
import { listenAt, type SocketFile, UAPI_DIRECTORY } from './socket-file.js';

/** Clients at once; more are turned away. */
const MAX_CLIENTS = 64;
/** A client that neither sends nor reads for so long is cut off, milliseconds. */
const IDLE_TIMEOUT = 60_000;

/** What the socket drives: a `DataPlane`. */
export interface UapiDevice {
  settings(): Promise<DeviceSettings>;
  configure(change: DeviceChange): Promise<void>;
}

export interface UapiServerOptions {
  readonly interfaceName: string;
  readonly device: UapiDevice;
  /** `/var/run/wireguard` unless said; made if missing, for the owner only. */
  readonly directory?: string;
  /** Milliseconds; a minute unless said. */
  readonly idleTimeout?: number;
  readonly log?: (level: 'debug' | 'warn', message: string) => void;
}

/** The socket by which `wg` and other tools drive an interface. */
export interface UapiServer {
  readonly path: string;
  /** Settles when the socket's file was removed or replaced by others, or `close` was called. */
  readonly removed: Promise<void>;
  /** Cuts off clients and removes the socket. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves WireGuard's cross-platform userspace interface at `<directory>/<interfaceName>.sock`.
 * @throws WarrenError `uapi-socket-taken`, `uapi-socket-failed`.
 */
export async function serveUapi(options: UapiServerOptions): Promise<UapiServer> {
  const { interfaceName, directory = UAPI_DIRECTORY, idleTimeout = IDLE_TIMEOUT } = options;
  const clients = new Set<net.Socket>();
  // Half open: a client may end its side as soon as it has asked.
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    clients.add(socket);
    socket.setTimeout(idleTimeout, () => socket.destroy());
    socket.once('close', () => clients.delete(socket));
    socket.on('error', () => undefined); // a client that goes away in the middle is no failure of ours
    void serveClient(socket, options);
  });
  server.maxConnections = MAX_CLIENTS;
  const file = await listenAt(server, join(directory, `${interfaceName}.sock`));
  server.on('error', (error) => options.log?.('warn', `socket ${file.path}: ${error.message}`));
  const removal = watchRemoval(file);
  let closing: Promise<void> | undefined;
  return {
    path: file.path,
    removed: removal.removed,
    close(): Promise<void> {
      closing ??= (async () => {
        server.close();
        for (const client of clients) client.destroy();
        await file.remove();
        removal.stop();
      })();
      return closing;
    },
  };
}

function watchRemoval(file: SocketFile): { readonly removed: Promise<void>; stop(): void } {
  let watcher: FSWatcher | undefined;
  let settle = (): void => undefined;
  const removed = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const stop = (): void => {
    watcher?.close();
    settle();
  };
  const look = async (): Promise<void> => {
    if (!(await file.isPresent())) stop();
  };
  watcher = watch(dirname(file.path), { persistent: false }, () => void look().catch(stop));
  watcher.on('error', stop); // the directory itself has gone
  void look().catch(stop); // removed before the watch began
  return { removed, stop };
}

/** One request after the other, so that a client cannot pile up answers; the next is read when it has taken the last. */
async function serveClient(socket: net.Socket, options: UapiServerOptions): Promise<void> {
  const reader = new RequestReader();
  socket.setEncoding('latin1');
  try {
    for await (const text of socket.iterator({ destroyOnReturn: false })) {
      for (const request of reader.push(text)) {
        await pipeline(Readable.from(await answer(request, options)), socket, { end: false });
        if (request.operation === 'bad' && request.fatal) {
          socket.end();
          // What it still sends is thrown away: closing at once would break its pipe before it reads the answer.
          socket.resume();
          return;
        }
      }
    }
    const unfinished = protocolProblem('the request ends without a blank line');
    socket.end(reader.inRequest ? errnoLines(unfinished) : '');
  } catch (error) {
    options.log?.('debug', `a client of ${options.interfaceName}.sock went away: ${(error as Error).message}`);
    socket.destroy();
  }
}

async function answer(request: UapiRequest, { device, log }: UapiServerOptions): Promise<Iterable<string>> {
  let problem: UapiProblem | undefined;
  if (request.operation === 'bad') {
    problem = request.problem;
  } else {
    try {
      if (request.operation === 'get') return renderGet(await device.settings());
      problem = await set(device, request.body);
    } catch (error) {
      problem = problemOf(error);
    }
  }
  if (problem) log?.('warn', `UAPI request refused: ${problem.message}`);
  return [errnoLines(problem)];
}

/** Errors are negative, as the kernel returns them and wireguard-go sends them: `wg` prints the words of the number negated. */
const errnoLines = (problem: UapiProblem | undefined): string => `errno=${problem ? -problem.errno : 0}\n\n`;

async function set(device: UapiDevice, body: string): Promise<UapiProblem | undefined> {
  const change = parseSet(body);
  if (isProblem(change)) return change;
  try {
    await device.configure(change);
    return undefined;
  } finally {
    change.privateKey?.erase();
    for (const peer of change.peers) peer.presharedKey?.erase();
  }
}
