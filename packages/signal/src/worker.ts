import { parentPort } from 'node:worker_threads';
import { invariant, WarrenError } from '@warren/base';
import { boxesReady } from '@warren/crypto/boxes';
import { closeWatches } from '@warren/udp';
import { WorkerCore } from './worker-core.js';
import type { FromWorker, ToWorker, WorkerOptions } from './worker-messages.js';

// Entry of the worker thread. All the rest is in worker-core.ts.
const port = parentPort;
invariant(port, 'worker.js runs in a worker thread only');

const post = (message: FromWorker, transfer: readonly ArrayBuffer[] = []): void => port.postMessage(message, transfer);

// Sees an exception that nobody catches, and catches nothing.
process.on('uncaughtExceptionMonitor', closeWatches);

let core: WorkerCore | undefined;
await boxesReady;

port.on('message', (message: ToWorker) => {
  if (message.type === 'start') start(message.options);
  else core?.handle(message);
  if (message.type !== 'close') return;
  post({ type: 'closed' });
  port.close();
});

function start(options: WorkerOptions): void {
  try {
    core = new WorkerCore(options, post);
    post({ type: 'started', port: core.port, descriptors: core.descriptors });
  } catch (error) {
    // A bug of ours ends the worker; the main thread hears it as its `error` event.
    if (!(error instanceof WarrenError)) throw error;
    post({ type: 'failed', code: error.code, message: error.message });
    port?.close();
  }
}
