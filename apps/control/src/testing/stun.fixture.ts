import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { parseHostPort } from '@warren/base';

/** Whether a STUN server answers at `host:port` within two seconds: a binding request, written by hand (RFC 8489 §5). */
export async function answersStun(address: string): Promise<boolean> {
  const { host, port } = parseHostPort(address)!;
  const socket = createSocket('udp4');
  const request = Buffer.concat([Buffer.from('000100002112a442', 'hex'), randomBytes(12)]);
  try {
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), 2_000);
      socket.once('message', (answer) => {
        clearTimeout(timer);
        resolve(answer.readUInt16BE(0) === 0x0101 && answer.subarray(8, 20).equals(request.subarray(8)));
      });
      socket.send(request, port, host);
    });
  } finally {
    socket.close();
  }
}
