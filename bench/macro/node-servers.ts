// The Node servers of the benchmark, a process of its own: node node-servers.ts CHUNKED_PORT ECHO_PORT
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';

const piece = Buffer.alloc(1024, 'y');
let turn = 0;

createHttpServer((request, response) => {
  request.resume();
  request.once('end', () => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    // 1, 2, 4, 8, 16 KiB in turn: chunked, since no length is given and there is more than one write.
    const pieces = 1 << (turn++ % 5);
    for (let sent = 0; sent < pieces; sent++) response.write(piece);
    response.end();
  });
})
  .on('connection', (socket) => socket.setNoDelay(true))
  .listen(Number(process.argv[2]), '127.0.0.1', 8192);

createServer({ noDelay: true }, (socket) => {
  socket.on('data', (bytes) => socket.write(bytes));
  socket.on('error', () => socket.destroy());
}).listen(Number(process.argv[3]), '127.0.0.1', 8192);
