/** Two servers that send back what they get, with their port before it: `node servers.ts`. */
import { createServer } from 'node:net';

for (const port of [3003, 3004]) {
  createServer((socket) => {
    // A client that goes away in the middle is nothing to end the server for.
    socket.on('error', () => socket.destroy());
    socket.write(`you are talking to ${port}\n`);
    socket.pipe(socket);
  }).listen(port, '127.0.0.1');
}
