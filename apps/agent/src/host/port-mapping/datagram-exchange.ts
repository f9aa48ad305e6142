import { createSocket } from 'node:dgram';
import type { Gateway } from './gateway.js';

/**
 * When a request is sent again, milliseconds from the first. RFC 6886 §3.1 doubles from 250 ms up to nine times, RFC 6887
 * §8.1.1 begins with 3 s; a gateway on the LAN that has not answered by then does not speak the protocol, and the next one
 * waits for its turn.
 */
const SENDINGS = [0, 250, 750];
const GIVE_UP = 1750;

/**
 * Sends a request to the gateway's PCP port until an answer decodes. Only datagrams from there are looked at: the socket is
 * connected. @returns undefined when none came, or when nobody listens there.
 */
export function exchangeDatagrams<T>(
  gateway: Gateway,
  request: Uint8Array,
  decode: (bytes: Uint8Array) => T | undefined,
  signal: AbortSignal,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const timers: NodeJS.Timeout[] = [];
    let done = false;
    const finish = (answer: T | undefined): void => {
      if (done) return;
      done = true;
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.close();
      resolve(answer);
    };
    const abort = (): void => finish(undefined);
    if (signal.aborted) return finish(undefined);
    signal.addEventListener('abort', abort, { once: true });
    socket.on('error', () => finish(undefined)); // no route, or nobody listens (ICMP): no such protocol here
    socket.on('message', (bytes) => {
      const answer = decode(bytes);
      if (answer !== undefined) finish(answer);
    });
    socket.bind(0, gateway.local, () => {
      if (done) return;
      socket.connect(gateway.pcpPort, gateway.address, () => {
        for (const delay of SENDINGS) {
          timers.push(setTimeout(() => socket.send(request, (error) => error && finish(undefined)), delay));
        }
        timers.push(setTimeout(() => finish(undefined), GIVE_UP));
      });
    });
  });
}
