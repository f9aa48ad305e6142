import { once } from 'node:events';
import { chmodSync, existsSync, linkSync, mkdtempSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Prefix, publicKeyFromBytes, WarrenError } from '@warren/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeviceChange, DeviceSettings, PeerSettings } from '../device-settings-api.js';
import { serveUapi, type UapiServer } from './uapi-server.js';

/** A device that remembers what it was told. */
class FakeDevice {
  readonly changes: DeviceChange[] = [];
  peers: PeerSettings[] = [];
  refusal: Error | undefined;

  async settings(): Promise<DeviceSettings> {
    if (this.refusal) throw this.refusal;
    return { privateKey: undefined, listenPort: 51_820, fwmark: 0, peers: this.peers };
  }

  async configure(change: DeviceChange): Promise<void> {
    if (this.refusal) throw this.refusal;
    this.changes.push(change);
  }
}

const peerNumber = (number: number, allowedIps: readonly Prefix[]): PeerSettings => {
  const key = new Uint8Array(32);
  new DataView(key.buffer).setUint32(0, number);
  return {
    publicKey: publicKeyFromBytes(key),
    presharedKey: undefined,
    endpoint: undefined,
    persistentKeepalive: 0,
    allowedIps,
    lastHandshake: undefined,
    rxBytes: 0,
    txBytes: 0,
    managed: false,
  };
};

let directory: string;
let device: FakeDevice;
let servers: UapiServer[];
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'warren-uapi-')), 'wireguard');
  device = new FakeDevice();
  servers = [];
});
afterEach(async () => {
  for (const server of servers) await server.close();
  rmSync(join(directory, '..'), { recursive: true, force: true });
});

async function serve(options: { idleTimeout?: number } = {}): Promise<UapiServer> {
  const server = await serveUapi({ interfaceName: 'wg0', device, directory, ...options });
  servers.push(server);
  return server;
}

async function connect(): Promise<net.Socket> {
  const socket = net.connect({ path: join(directory, 'wg0.sock'), allowHalfOpen: true });
  socket.setEncoding('latin1');
  await once(socket, 'connect');
  return socket;
}

/** Sends `text` and returns all that comes until the server ends. */
async function ask(text: string): Promise<string> {
  const socket = await connect();
  let answer = '';
  socket.on('data', (part: string) => {
    answer += part;
  });
  socket.end(text);
  await once(socket, 'close');
  return answer;
}

const HEADER = 'listen_port=51820\n';

describe('the UAPI socket', () => {
  it('is the owner’s alone, in a directory that is too', async () => {
    const server = await serve();
    expect(server.path).toBe(join(directory, 'wg0.sock'));
    expect(statSync(server.path).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it('answers several requests of one connection in order', async () => {
    await serve();
    expect(await ask('get=1\n\nset=1\nlisten_port=1\n\nset=1\nbad=1\n\nget=1\n\n')).toBe(
      `${HEADER}errno=0\n\nerrno=0\n\nerrno=-22\n\n${HEADER}errno=0\n\n`,
    );
    expect(device.changes).toMatchObject([{ listenPort: 1 }]);
  });

  it('applies nothing of a request that has a bad line or no end', async () => {
    await serve();
    expect(await ask('set=1\nlisten_port=1\nlisten_port=x\n\n')).toBe('errno=-22\n\n');
    expect(await ask('set=1\nlisten_port\n\n')).toBe('errno=-71\n\n');
    expect(await ask('set=1\nlisten_port=1\n')).toBe('errno=-71\n\n');
    expect(device.changes).toEqual([]);
  });

  it('answers an unknown operation and closes', async () => {
    await serve();
    expect(await ask('hello\nget=1\n\n')).toBe('errno=-71\n\n');
  });

  it.each([
    [new WarrenError('not-permitted', 'x'), 1],
    [new WarrenError('port-in-use', 'x'), 98],
    [new WarrenError('port-not-allowed', 'x'), 13],
    [new WarrenError('no-address-family', 'x'), 97],
    [new WarrenError('data-plane-closed', 'x'), 19],
    [new WarrenError('anything-else', 'x'), 5],
    [new Error('x'), 5],
  ])('tells the tool what became of %s', async (error, errno) => {
    await serve();
    device.refusal = error;
    expect(await ask('set=1\n\nget=1\n\n')).toBe(`errno=-${errno}\n\nerrno=-${errno}\n\n`);
  });

  it('serves clients side by side', async () => {
    await serve();
    const slow = await connect();
    slow.write('get=1\n');
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('get=1\n\n')));
    expect(new Set(answers)).toEqual(new Set([`${HEADER}errno=0\n\n`]));
    slow.end('\n');
    const [answer] = await once(slow, 'data');
    expect(answer).toBe(`${HEADER}errno=0\n\n`);
  });

  it('waits for a client that reads slowly, and others do not wait for it', async () => {
    await serve();
    device.peers = Array.from({ length: 20_000 }, (_, number) =>
      peerNumber(number, [`10.${number >> 8}.${number & 255}.0/24` as Prefix]),
    );
    const slow = await connect();
    slow.pause();
    slow.end('get=1\n\n');
    expect((await ask('get=1\n\n')).match(/^public_key=/gm)).toHaveLength(20_000);
    let answer = '';
    slow.on('data', (part: string) => {
      answer += part;
    });
    slow.resume();
    await once(slow, 'close');
    expect(answer.match(/^allowed_ip=/gm)).toHaveLength(20_000);
    expect(answer.endsWith('errno=0\n\n')).toBe(true);
  });

  it('cuts off a client that does nothing', async () => {
    await serve({ idleTimeout: 20 });
    const idle = await connect();
    idle.resume();
    await once(idle, 'end');
    idle.destroy();
  });

  it('survives clients that go away in the middle', async () => {
    await serve();
    for (let count = 0; count < 20; count++) {
      const client = await connect();
      client.write('get=1\n\nset=1\n');
      client.destroy();
    }
    expect(await ask('get=1\n\n')).toContain('errno=0');
  });
});

describe('the file of the UAPI socket', () => {
  it('goes when the server closes, and settles the promise', async () => {
    const server = await serve();
    await server.close();
    await server.close();
    await server.removed;
    expect(existsSync(server.path)).toBe(false);
  });

  it('settles the promise when somebody removes or replaces it, and the replacement stays', async () => {
    const first = await serve();
    unlinkSync(first.path);
    await first.removed;
    const second = await serve();
    unlinkSync(second.path);
    writeFileSync(second.path, '');
    await second.removed;
    await second.close();
    expect(existsSync(second.path)).toBe(true);
    unlinkSync(second.path);
  });

  it('is replaced when nobody serves it', async () => {
    const server = await serve();
    const { path } = server;
    await server.close();
    const killed = net.createServer();
    killed.listen(`${path}.other`);
    await once(killed, 'listening');
    linkSync(`${path}.other`, path);
    killed.close();
    await once(killed, 'close');
    expect(existsSync(path)).toBe(true);
    await serve();
    expect(await ask('get=1\n\n')).toContain('errno=0');
  });

  it('is left alone when another process serves it', async () => {
    await serve();
    await expect(serveUapi({ interfaceName: 'wg0', device, directory })).rejects.toMatchObject({
      code: 'uapi-socket-taken',
      message: expect.stringContaining('another process serves'),
    });
    expect(await ask('get=1\n\n')).toContain('errno=0');
  });

  it('cannot be where a file is, and says so', async () => {
    writeFileSync(directory, '');
    chmodSync(directory, 0o600);
    await expect(serveUapi({ interfaceName: 'wg0', device, directory })).rejects.toMatchObject({
      code: 'uapi-socket-failed',
      message: expect.stringContaining(directory),
    });
  });
});
