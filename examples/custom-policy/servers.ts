/** Two small HTTP servers to balance over: `node servers.ts`. */
import { createServer } from 'node:http';

for (const port of [3001, 3002]) {
  createServer((request, response) => {
    response.end(`server ${port} answers ${request.method} ${request.url}\n`);
  }).listen(port, '127.0.0.1');
}
