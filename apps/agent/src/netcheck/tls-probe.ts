import { lookup } from 'node:dns/promises';
import { connect, type TLSSocket } from 'node:tls';
import { type HostPort, parseHostPort } from '@warren/base';
import { RELAY_ALPN, RELAY_SERVICE_NAME } from '@warren/signal';

const TIMEOUT = 5_000;

/**
 * What came of dialling a relay: `silent` no answer, `refused` nobody listens, `intercepted` somebody else answered,
 * `no-relay` the right one, but it does not relay here, `unresolved` its name has no address.
 */
export type TlsFailure = 'silent' | 'refused' | 'intercepted' | 'no-relay' | 'unresolved';

export interface TlsProbe {
  readonly endpoint: HostPort;
  /** Milliseconds to set up TCP, one round trip; null when that failed. */
  readonly rttMs: number | null;
  readonly failure: TlsFailure | null;
}

/**
 * Dials a relay over TLS as the data plane would, and hangs up. Never rejects.
 * @param root of the network's authority, PEM.
 */
export async function probeTls(endpoint: HostPort, root: string): Promise<TlsProbe> {
  const { host, port } = parseHostPort(endpoint)!;
  const resolved = await lookup(host).catch(() => undefined); // said by `unresolved`
  if (!resolved) return { endpoint, rttMs: null, failure: 'unresolved' };
  return new Promise((done) => {
    const begun = performance.now();
    let rttMs: number | null = null;
    const socket: TLSSocket = connect({
      host: resolved.address,
      port,
      servername: RELAY_SERVICE_NAME,
      ca: root,
      ALPNProtocols: [RELAY_ALPN],
      minVersion: 'TLSv1.2',
    });
    const finish = (failure: TlsFailure | null): void => {
      clearTimeout(timer);
      socket.destroy();
      done({ endpoint, rttMs, failure });
    };
    const timer = setTimeout(() => finish('silent'), TIMEOUT);
    socket.once('connect', () => {
      rttMs = Math.round((performance.now() - begun) * 10) / 10;
    });
    socket.once('secureConnect', () => finish(socket.alpnProtocol === RELAY_ALPN ? null : 'no-relay'));
    socket.on('error', (error: NodeJS.ErrnoException) => finish(failureOf(error.code ?? '', rttMs !== null)));
    socket.once('close', () => finish('silent'));
  });
}

function failureOf(code: string, connected: boolean): TlsFailure {
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL') return 'no-relay';
  // A network that lets TCP through and cuts TLS off resets or times out; whoever speaks, but not as the root says, is another.
  return connected && !['ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(code) ? 'intercepted' : 'silent';
}
