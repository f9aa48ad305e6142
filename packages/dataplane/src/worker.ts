import { parentPort } from 'node:worker_threads';
import { invariant, WarrenError } from '@warren/base';
import { closeWatches } from '@warren/udp';
import { WorkerCore } from './worker-core.js';
import type { Failure, FromWorker, ToWorker, WorkerRequest } from './worker-messages.js';

// Entry of the worker thread: requests in, results and notices out. All the rest is in worker-core.ts.
const port = parentPort;
invariant(port, 'worker.js runs in a worker thread only');

const post = (message: FromWorker): void => port.postMessage(message);

const core = new WorkerCore({
  log: (level, message) => post({ type: 'log', level, message }),
  handshakeFailing: (peer) => post({ type: 'handshake-failing', peer }),
  peerHeard: (peer, endpoint) => post({ type: 'peer-heard', peer, endpoint }),
  linkReturned: () => post({ type: 'link-returned' }),
  networkChanged: () => post({ type: 'network-changed' }),
  pathsChanged: () => post({ type: 'paths-changed' }),
  tombstone: (tombstone, signature) => post({ type: 'tombstone', tombstone, signature }),
  descriptors: (descriptors) => post({ type: 'descriptors', descriptors }),
  ended: (error) => {
    post({ type: 'ended', error: failureOf(error) });
    port.close();
  },
});

// Sees an exception that nobody catches, and catches nothing.
process.on('uncaughtExceptionMonitor', closeWatches);

/** What is loaded first, for a start that needs it: later requests wait. */
let loading: Promise<void> | undefined;

port.on('message', ({ id, request }: ToWorker) => {
  if (request.type === 'start' && request.options.signalling) loading = core.loadSignalling();
  // What goes wrong in it ends the worker, as any other bug of ours.
  if (loading) void loading.then(() => handle(id, request));
  else handle(id, request);
});

const handle = (id: number, request: WorkerRequest): void => {
  try {
    post({ type: 'result', id, result: core.handle(request) });
  } catch (error) {
    // A bug of ours ends the worker; the main thread hears it as its `error` event.
    if (!(error instanceof WarrenError)) throw error;
    post({ type: 'failed', id, error: failureOf(error) });
  }
  if (request.type === 'close') port.close();
};

function failureOf(error: WarrenError): Failure {
  return { code: error.code, message: error.message };
}
