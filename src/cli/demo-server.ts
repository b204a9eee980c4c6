import { createServer } from 'node:http';

/**
 * A server of `evenkeel demo`, a process of its own so that it can be killed: answers its name, the path
 * and a count. Arguments: name and port (0 = any). Tells its parent the port; ends with its parent.
 */
const [name = 'server', port = '0'] = process.argv.slice(2);
let count = 0;

const server = createServer((request, response) => {
  if (request.url !== '/healthz') count++;
  response.setHeader('content-type', 'text/plain');
  response.end(`${name} (pid ${process.pid}) ${request.url} request ${count}\n`);
});
// A balancer keeps idle links for 4 s at least: closing later than it does spares both a race.
server.keepAliveTimeout = 30_000;
server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});
server.on('error', (error) => {
  process.stderr.write(`${name}: ${error.message}\n`);
  process.exit(1);
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group: the balancer drains first, and then ends us by closing the channel.
process.on('SIGINT', () => {});
