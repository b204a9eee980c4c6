/** What the example balances over: two HTTP servers and one that echoes bytes: `node servers.ts`. */
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';

for (const port of [3001, 3002]) {
  createServer((request, response) => {
    const isProbe = request.url === '/healthz';
    response.end(isProbe ? 'ok\n' : `server ${port} answers ${request.method} ${request.url}\n`);
  }).listen(port, '127.0.0.1');
}

createTcpServer((socket) => {
  // A client that goes away in the middle is nothing to end the server for.
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
}).listen(3003, '127.0.0.1');
