// `listen SERVER`: prints this socket's outer endpoint and answers whatever comes. `send ENDPOINT`: says what came back.
import { createSocket } from 'node:dgram';

const [, , mode, target] = process.argv;
const socket = createSocket('udp4');
if (mode === 'listen') {
  socket.on('message', (bytes, from) => {
    const text = bytes.toString();
    if (text === 'hello') socket.send('world', from.port, from.address);
    else console.log(`outside ${JSON.parse(text).seen}`);
  });
  socket.send(JSON.stringify({ id: 'self' }), 3478, target);
} else {
  const [address, port] = target.split(':');
  const finish = (word) => {
    console.log(word);
    socket.close();
    clearTimeout(timer);
  };
  const timer = setTimeout(finish, 1_000, 'silence');
  socket.on('message', () => finish('answered'));
  socket.send('hello', Number(port), address);
}
