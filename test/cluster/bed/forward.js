// Lends one TCP port of this network namespace to the others: what connects to the socket file SOCKET is connected to PORT.
//
//   node forward.js SOCKET PORT
import { connect, createServer } from 'node:net';

const [socket, port] = process.argv.slice(2);

createServer((near) => {
  const far = connect(Number(port), '127.0.0.1');
  near.pipe(far).pipe(near);
  near.on('error', () => far.destroy());
  far.on('error', () => near.destroy());
}).listen(socket);
