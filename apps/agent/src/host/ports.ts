import { createSocket, type Socket } from 'node:dgram';
import { WarrenError } from '@warren/base';

/** Whether a UDP port is free on IPv4 and IPv6; for 0 the system chooses one that is. */
export type FindPort = (port: number) => Promise<number | undefined>;

const ATTEMPTS = 20;

/** Binds and closes again. @returns the port, or undefined when it is taken. */
export const findPort: FindPort = async (port) => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await tryPort(port);
    if (found !== undefined || port !== 0) return found;
  }
  return undefined;
};

/** @throws WarrenError `port-in-use`. @returns the port itself, or for 0 a free one. */
export async function requireFreePort(port: number, find: FindPort): Promise<number> {
  const found = await find(port);
  if (found !== undefined) return found;
  throw new WarrenError(
    'port-in-use',
    `UDP port ${port} is in use on this host: choose another with --listen-port, 0 for any`,
  );
}

/** The first free port from `from` on that is not in `taken`. @throws WarrenError `port-in-use`. */
export async function nextFreePort(from: number, taken: ReadonlySet<number>, find: FindPort): Promise<number> {
  for (let port = from; port < from + 100 && port < 65_536; port++) {
    if (!taken.has(port) && (await find(port)) !== undefined) return port;
  }
  throw new WarrenError('port-in-use', `UDP ports ${from} to ${from + 99} are in use: choose one with --listen-port`);
}

async function tryPort(port: number): Promise<number | undefined> {
  const v4 = await bind('udp4', '0.0.0.0', port);
  if (!v4) return undefined;
  const chosen = v4.address().port;
  try {
    const v6 = await bind('udp6', '::', chosen);
    v6?.close();
    return v6 || !(await hasIpv6()) ? chosen : undefined;
  } finally {
    v4.close();
  }
}

function bind(type: 'udp4' | 'udp6', address: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket({ type, ipv6Only: type === 'udp6' });
    socket.once('error', () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ address, port, exclusive: true }, () => resolve(socket));
  });
}

/** A host without IPv6 cannot bind any IPv6 port: that is no conflict. */
async function hasIpv6(): Promise<boolean> {
  const socket = await bind('udp6', '::', 0);
  socket?.close();
  return socket !== undefined;
}
