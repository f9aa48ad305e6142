import type { Socket } from 'node:net';
import tls from 'node:tls';
import { WarrenError } from '@warren/base';
import type { ServerCertificate } from '../ca/certificate-authority.js';
import type { ListenAddress } from '../config.js';
import type { Log } from '../log.js';

const ROTATION_CHECK = 3_600_000;
/** The server's certificate is replaced when less than this is left. */
const ROTATION_MARGIN = 10 * 86_400_000;
const HANDSHAKE_TIMEOUT = 10_000;
/** How long connections may take to end by themselves at shutdown. */
const CLOSE_TIMEOUT = 2_500;

/** Where the listener's certificate comes from. */
export interface CertificateSource {
  /** Trust anchor for client certificates, PEM. */
  readonly rootPem: string;
  issueServer(): Promise<ServerCertificate>;
}

/** Takes over the connections that speak one protocol. */
export type TlsHandler = (socket: tls.TLSSocket) => void;

export interface TlsListener {
  readonly addresses: readonly ListenAddress[];
  /** Cuts the connection from `address:port`. */
  readonly disconnect: (peer: string) => void;
  /** Takes the source's certificate for connections from now on. */
  replaceCertificate(): Promise<void>;
  close(): Promise<void>;
}

/**
 * TLS 1.3 on each address. A client certificate is asked for, never required: the calls of joining have none. ALPN says
 * which of `handlers` gets a connection; what speaks none of their protocols is refused.
 *
 * @throws WarrenError `port-in-use`, with nothing left listening.
 */
export async function listenTls(
  addresses: readonly ListenAddress[],
  source: CertificateSource,
  handlers: ReadonlyMap<string, TlsHandler>,
  log: Log,
): Promise<TlsListener> {
  const servers: tls.Server[] = [];
  const sockets = new Map<string, Socket>();
  let certificate = await source.issueServer();
  try {
    for (const address of addresses)
      servers.push(await listen(address, contextOf(certificate, source), sockets, handlers, log));
  } catch (error) {
    for (const server of servers) server.close();
    throw error;
  }
  const replaceCertificate = async (): Promise<void> => {
    certificate = await source.issueServer();
    for (const server of servers) server.setSecureContext(contextOf(certificate, source));
  };
  const rotation = setInterval(() => {
    if (certificate.notAfter.getTime() - Date.now() > ROTATION_MARGIN) return;
    replaceCertificate().then(
      () => log.info({ notAfter: certificate.notAfter }, 'server certificate replaced'),
      (error: unknown) => log.error({ err: error }, 'cannot replace the server certificate'),
    );
  }, ROTATION_CHECK).unref();
  return {
    addresses: servers.map((server, i) => ({
      host: addresses[i]!.host,
      port: (server.address() as { port: number }).port,
    })),
    disconnect: (peer) => sockets.get(peer)?.destroy(),
    replaceCertificate,
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

const contextOf = (certificate: ServerCertificate, { rootPem }: CertificateSource): tls.SecureContextOptions => ({
  key: certificate.key,
  cert: certificate.chain,
  ca: rootPem,
  minVersion: 'TLSv1.3',
});

function listen(
  address: ListenAddress,
  context: tls.SecureContextOptions,
  sockets: Map<string, Socket>,
  handlers: ReadonlyMap<string, TlsHandler>,
  log: Log,
): Promise<tls.Server> {
  const server = tls.createServer({
    ...context,
    requestCert: true,
    rejectUnauthorized: false, // calls that need a certificate ask whether it was accepted (`agentCaller`)
    ALPNProtocols: [...handlers.keys()],
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
    const handler = socket.alpnProtocol ? handlers.get(socket.alpnProtocol) : undefined;
    if (handler) handler(socket);
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
