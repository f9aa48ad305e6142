// `serve PORT...`: sends back what comes. `ask ADDRESS PORT plain|hello`: says whether the first bytes, text or those of
// a TLS ClientHello, are answered. `hold ADDRESS PORT`: keeps a connection and says how it fares each time it has an answer.
import { connect, createServer } from 'node:net';

const [, , mode, ...args] = process.argv;
const FIRST = { plain: Buffer.from('GET / HTTP/1.1\r\n\r\n'), hello: Buffer.from('160301000501000001aa', 'hex') };
const echo = (socket) => socket.on('error', () => socket.destroy()).pipe(socket);

if (mode === 'serve') {
  for (const port of args) createServer(echo).listen(Number(port), () => console.log(`listening on ${port}`));
} else if (mode === 'ask') {
  const [address, port, first] = args;
  const socket = connect(Number(port), address);
  const finish = (word) => {
    console.log(word);
    process.exit(0);
  };
  setTimeout(finish, 1_500, 'silence');
  socket.on('error', () => finish('refused'));
  socket.on('data', () => finish('answered'));
  socket.on('connect', () => socket.write(FIRST[first]));
} else {
  const [address, port] = args;
  let answers = 0;
  const socket = connect(Number(port), address);
  socket.on('connect', () => setInterval(() => socket.write(FIRST.plain), 100));
  socket.on('data', () => console.log(`answer ${++answers}`));
}
