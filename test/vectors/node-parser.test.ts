import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, test } from 'node:test';
import { expectVectors, framingVectors } from './requests-framing.ts';
import { fieldVectors, requestLineVectors } from './requests-lines.ts';
import { hostVectors, targetVectors } from './requests-targets.ts';

/** What Node's strict parser refuses and we take, with the reason. */
const takenByUsOnly: Readonly<Record<string, string>> = {
  '1.2': 'a higher minor version is read as 1.1 (RFC 9110 §2.5)',
  'lower-case method': 'any token is a method, and case counts (RFC 9110 §9.1)',
  'odd but legal method': 'any token is a method (RFC 9110 §9.1)',
};

const server = createServer({ maxHeaderSize: 65_536 }, (_request, response) => {
  response.end('ok');
});
server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
server.on('connect', (_request, socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n'));
server.on('checkContinue', (_request, response) => response.end('ok'));
server.on('checkExpectation', (_request, response) => response.end('ok'));
server.on('clientError', (_error, socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => server.close());

/** Status of Node's first answer to these octets and an end. */
async function statusOfNode(text: string): Promise<number> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', (piece) => {
    answer += piece;
  });
  socket.end(Buffer.from(text, 'latin1'));
  await once(socket, 'close');
  return Number(answer.slice(9, 12));
}

const vectors = [
  ...requestLineVectors,
  ...fieldVectors,
  ...framingVectors,
  ...expectVectors,
  ...targetVectors,
  ...hostVectors,
];

test('differential: what Node refuses, we refuse; exceptions are explained', async () => {
  const unexplained: string[] = [];
  const used = new Set<string>();
  let refusedByBoth = 0;
  for (const [name, text, outcome] of vectors) {
    if (outcome === 'incomplete') continue;
    const status = await statusOfNode(text);
    if (status < 400) continue;
    if (outcome !== 'taken') refusedByBoth++;
    else if (takenByUsOnly[name] === undefined) unexplained.push(`${name}: ${status}`);
    else used.add(name);
  }
  assert.ok(refusedByBoth > 80, `${refusedByBoth} refused by both`);
  assert.deepEqual(unexplained, []);
  assert.deepEqual(
    Object.keys(takenByUsOnly).filter((name) => !used.has(name)),
    [],
    'stale',
  );
});
