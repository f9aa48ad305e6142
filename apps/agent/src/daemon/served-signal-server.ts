import { startSignalServer } from '@warren/signal';
import type { StartSignalServer } from './bounce-server.js';

/** The signal server of a bounce; its worker lies beside the bundle under a name of its own (tools/bundle.mjs). */
export const startBundledSignalServer: StartSignalServer = (options) =>
  startSignalServer(options, new URL('./signal-worker.js', import.meta.url));
