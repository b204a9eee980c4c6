/** The shop, its new version, and a service that knows who a token belongs to: `node servers.ts`. */
import { createServer } from 'node:http';

for (const [port, name] of [
  [3001, 'the shop'],
  [3002, 'the new shop'],
] as const) {
  createServer((request, response) => {
    const user = request.headers['x-user'] ?? 'a stranger';
    response.setHeader('X-Powered-By', 'node');
    response.end(`${name} serves ${request.url} to ${String(user)}\n`);
  }).listen(port, '127.0.0.1');
}

createServer((request, response) => {
  const isKnown = request.headers.authorization === 'Bearer sesame';
  response.statusCode = isKnown ? 200 : 403;
  response.end(isKnown ? 'anna' : '');
}).listen(3003, '127.0.0.1');
