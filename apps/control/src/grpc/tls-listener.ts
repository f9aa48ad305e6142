import type { Socket } from 'node:net';
import tls from 'node:tls';
import { WarrenError } from '@warren/base';
import type { CertificateAuthority, ServerCertificate } from '../ca/certificate-authority.js';
import type { ListenAddress } from '../config.js';
import type { Log } from '../log.js';

const ROTATION_CHECK = 3_600_000;
/** The server's certificate is replaced when less than this is left. */
const ROTATION_MARGIN = 10 * 86_400_000;
const HANDSHAKE_TIMEOUT = 10_000;
/** How long connections may take to end by themselves at shutdown. */
const CLOSE_TIMEOUT = 2_500;

export interface TlsListener {
  readonly addresses: readonly ListenAddress[];
  /** Cuts the connection from `address:port`. */
  readonly disconnect: (peer: string) => void;
  close(): Promise<void>;
}

/**
 * TLS 1.3 on each address. A client certificate is asked for, never required: the calls of joining have none. What
 * speaks `h2` goes to `onHttp2`; ALPN leaves room for other protocols on the same port.
 *
 * @throws WarrenError `port-in-use`, with nothing left listening.
 */
export async function listenTls(
  addresses: readonly ListenAddress[],
  ca: CertificateAuthority,
  onHttp2: (socket: tls.TLSSocket) => void,
  log: Log,
): Promise<TlsListener> {
  const servers: tls.Server[] = [];
  const sockets = new Map<string, Socket>();
  let certificate = await ca.issueServer();
  try {
    for (const address of addresses)
      servers.push(await listen(address, contextOf(certificate, ca), sockets, onHttp2, log));
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  const rotation = setInterval(() => {
    if (certificate.notAfter.getTime() - Date.now() > ROTATION_MARGIN) return;
    ca.issueServer().then(
      (fresh) => {
        certificate = fresh;
        for (const server of servers) server.setSecureContext(contextOf(fresh, ca));
        log.info({ notAfter: fresh.notAfter }, 'server certificate replaced');
      },
      (error: unknown) => log.error({ err: error }, 'cannot replace the server certificate'),
    );
  }, ROTATION_CHECK).unref();
  return {
    addresses: servers.map((server, i) => ({
      host: addresses[i]!.host,
      port: (server.address() as { port: number }).port,
    })),
    disconnect: (peer) => sockets.get(peer)?.destroy(),
    close: async () => {
      clearInterval(rotation);
      const timer = setTimeout(() => {
        for (const socket of sockets.values()) socket.destroy();
      }, CLOSE_TIMEOUT);
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      clearTimeout(timer);
    },
  };
}

const contextOf = (certificate: ServerCertificate, ca: CertificateAuthority): tls.SecureContextOptions => ({
  key: certificate.key,
  cert: certificate.chain,
  ca: ca.rootPem,
  minVersion: 'TLSv1.3',
});

function listen(
  address: ListenAddress,
  context: tls.SecureContextOptions,
  sockets: Map<string, Socket>,
  onHttp2: (socket: tls.TLSSocket) => void,
  log: Log,
): Promise<tls.Server> {
  const server = tls.createServer({
    ...context,
    requestCert: true,
    rejectUnauthorized: false, // calls that need a certificate ask whether it was accepted (`agentCaller`)
    ALPNProtocols: ['h2'],
    handshakeTimeout: HANDSHAKE_TIMEOUT,
  });
  server.on('connection', (socket) => {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    sockets.set(peer, socket);
    socket.on('close', () => sockets.delete(peer));
    socket.on('error', (error: Error) => log.debug({ err: error }, 'agent connection failed'));
    socket.setNoDelay(true);
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', (error: Error) => log.debug({ err: error }, 'agent connection failed'));
    if (socket.alpnProtocol === 'h2') onHttp2(socket);
    else socket.destroy();
  });
  server.on('tlsClientError', (error) => log.debug({ err: error }, 'TLS handshake failed'));
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError('agents', address, error)));
    server.listen(address.port, address.host, () => resolve(server));
  });
}

/** One line that names the flag, whichever listener could not be had. */
export function listenError(flag: string, { host, port }: ListenAddress, error: NodeJS.ErrnoException): WarrenError {
  const reason = error.code === 'EADDRINUSE' ? 'is already in use' : `cannot be used (${error.message})`;
  const code = error.code === 'EADDRINUSE' ? 'port-in-use' : 'listen-failed';
  return new WarrenError(code, `the address ${host}:${port} ${reason}: choose another with --${flag}`, {
    cause: error,
  });
}
