import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { type Instant, type IpFamily, instant } from '@warren/base';
import type { DiscoveryTransmit, TransportAddress } from '@warren/stun';
import { DiscoverySockets } from './discovery-sockets.js';

/** What discoveries and measurements of `@warren/stun` have in common. */
interface Machine<Result> {
  handleDatagram(socket: number, datagram: Uint8Array, from: TransportAddress, now: Instant): void;
  handleTimeout(now: Instant): void;
  pollTransmit(): DiscoveryTransmit | undefined;
  pollTimeout(): Instant | undefined;
  result(): Result | undefined;
}

/**
 * Drives a machine with sockets of its own and the clock until it has a result.
 * @returns undefined when it was given up by `signal`.
 */
export function runMachine<Result>(
  create: (random: (length: number) => Uint8Array, now: Instant) => Machine<Result>,
  family: IpFamily,
  signal: AbortSignal | undefined,
): Promise<Result | undefined> {
  return new Promise((done) => {
    let timer: NodeJS.Timeout | undefined;
    const now = () => instant(performance.now());
    const machine = create((length) => Uint8Array.from(randomBytes(length)), now());
    const sockets = new DiscoverySockets(family, (number, datagram, from) => {
      machine.handleDatagram(number, datagram, from, now());
      pump();
    });
    const finish = (result: Result | undefined): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      sockets.close();
      done(result);
    };
    const abort = (): void => finish(undefined);
    const pump = (): void => {
      clearTimeout(timer);
      for (let out = machine.pollTransmit(); out; out = machine.pollTransmit()) {
        sockets.send(out.socket, out.to, out.datagram);
      }
      const result = machine.result();
      if (result) {
        finish(result);
        return;
      }
      const deadline = machine.pollTimeout() ?? now();
      timer = setTimeout(
        () => {
          machine.handleTimeout(now());
          pump();
        },
        Math.max(1, Math.ceil(deadline - now())),
      );
    };
    if (signal?.aborted) return finish(undefined);
    signal?.addEventListener('abort', abort);
    pump();
  });
}
