import tls from 'node:tls';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openCertificateAuthority, SERVICE_NAME } from '../ca/certificate-authority.js';
import { until } from '../testing/control-plane.fixture.js';
import { listenTls, type TlsHandler, type TlsListener } from './tls-listener.js';

const HOUR = 3_600_000;
const silent = pino({ level: 'silent' });
let listener: TlsListener | undefined;

afterEach(async () => {
  vi.useRealTimers();
  await listener?.close();
  listener = undefined;
});

const h2 = (handler: TlsHandler) => new Map([['h2', handler]]);
const authority = () => openCertificateAuthority((_, make) => make());

async function dial(options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket> {
  const { port } = listener!.addresses[0]!;
  const socket = tls.connect({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    servername: SERVICE_NAME,
    ALPNProtocols: ['h2'],
    ...options,
  });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return socket;
}

describe('the listener for agents', () => {
  it('hands on what speaks h2, and hangs up on what does not', async () => {
    const taken: tls.TLSSocket[] = [];
    listener = await listenTls(
      [{ host: '127.0.0.1', port: 0 }],
      await authority(),
      h2((socket) => taken.push(socket)),
      silent,
    );
    const good = await dial();
    await until(() => taken.length === 1, 'taken');
    expect(good.getProtocol()).toBe('TLSv1.3');
    good.destroy();
    await expect(dial({ ALPNProtocols: ['http/1.1'] })).rejects.toThrow();
    await expect(dial({ maxVersion: 'TLSv1.2' })).rejects.toThrow();
    expect(taken).toHaveLength(1);
  });

  it('replaces its certificate before it expires, while it runs', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const ca = await authority();
    let issued = 0;
    const expiring = {
      ...ca,
      issueServer: async () => {
        issued += 1;
        const certificate = await ca.issueServer();
        return issued === 1 ? { ...certificate, notAfter: new Date(Date.now() + 24 * HOUR) } : certificate;
      },
    };
    listener = await listenTls(
      [{ host: '127.0.0.1', port: 0 }],
      expiring,
      h2((socket) => socket.on('error', () => {})),
      silent,
    );
    const serial = async (): Promise<string> => {
      const socket = await dial();
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    };
    const before = await serial();
    vi.advanceTimersByTime(HOUR + 1);
    await until(async () => (await serial()) !== before, 'another certificate');
    vi.advanceTimersByTime(3 * HOUR);
    expect(issued).toBe(2);
  });

  it('cuts one connection by its address and leaves the others', async () => {
    listener = await listenTls(
      [{ host: '127.0.0.1', port: 0 }],
      await authority(),
      h2(() => {}),
      silent,
    );
    const [one, two] = [await dial(), await dial()];
    let closed = false;
    one.on('close', () => {
      closed = true;
    });
    one.on('error', () => {});
    one.resume();
    listener.disconnect(`127.0.0.1:${one.localPort}`);
    await until(() => closed, 'cut');
    expect(two.destroyed).toBe(false);
    two.destroy();
  });
});
