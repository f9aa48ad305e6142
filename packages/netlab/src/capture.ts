import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from './host.js';

export interface CaptureOptions {
  /** What tcpdump is to keep (pcap-filter(7)); everything unless said. */
  readonly filter?: string;
  readonly interface?: string;
}

/** Every packet of an interface, written to a file of the host's directory. */
export interface Capture {
  readonly file: string;
  /** Ends it. @returns the file as it is: pcap, with each packet's bytes whole. */
  stop(): Promise<Buffer>;
}

let captures = 0;

/** Starts tcpdump on a host and waits until it captures. */
export async function startCapture(host: Host, options: CaptureOptions = {}): Promise<Capture> {
  const file = join(host.dir, `capture-${++captures}.pcap`);
  const filter = options.filter === undefined ? [] : [options.filter];
  // As root to the end: another user might not write here. Nothing waits in a buffer, so that stopping loses nothing.
  const args = [
    '-Z',
    'root',
    '-U',
    '--immediate-mode',
    '-n',
    '-s',
    '0',
    '-i',
    options.interface ?? 'eth0',
    '-w',
    file,
    ...filter,
  ];
  const running = host.spawn('tcpdump', args);
  await running.waitForOutput(/listening on/, 10_000);
  const stop = async (): Promise<Buffer> => {
    running.kill('SIGINT');
    await running.waitForExit(10_000);
    return readFile(file);
  };
  return { file, stop };
}
