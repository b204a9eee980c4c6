/*
 * The least HTTP relay on a driver: what the driver alone costs per request. Not safe and not a
 * design: heads must arrive whole, no time-outs, no chunked bodies, no pipelining.
 *
 *   node bench/micro/relay.ts LISTEN_PORT UPSTREAM_PORT...
 */
import { limits } from '../../src/model/limits.ts';
import type { DialTarget, Link, LinkHandler } from '../../src/platform/driver.ts';
import { createUringDriver } from '../../src/platform/uring/driver.ts';
import { Ledger } from '../../src/platform/uring/ledger.ts';

const [listenPort = 0, ...upstreamPorts] = process.argv.slice(2).map(Number);
const driver = createUringDriver({
  worker: 0,
  ledger: new Int32Array(new SharedArrayBuffer(Ledger.WORDS * 4)),
  descriptorBits: new Int32Array(new SharedArrayBuffer(limits.descriptors >>> 3)),
});
const { buffers } = driver;
const { bytes } = buffers;
const extra = new TextEncoder().encode('X-Forwarded-For: 127.0.0.1\r\n\r\n');

/** One side of an exchange: `peer` while one is in progress. */
class Side {
  peer: Link | null = null;
  bodyLeftBytes = 0;
  isInBody = false;
  isClosing = false;
  readonly server: number;
  constructor(server: number) {
    this.server = server;
  }
}

const targets: DialTarget[] = upstreamPorts.map((port) => {
  return driver.prepare({ kind: 'ip', host: '127.0.0.1', port });
});
const idle: Link[][] = upstreamPorts.map(() => []);
let contentLength = 0;
let isCloseAsked = false;
let next = 0;

/** Length of the head at `offset`, 0 when it is not whole; sets the two fields that matter. */
function headLength(offset: number, length: number): number {
  const end = offset + length;
  let at = offset;
  contentLength = 0;
  isCloseAsked = false;
  while (at < end && bytes[at] !== 10) at++;
  at++;
  while (at < end) {
    if (bytes[at] === 13) return bytes[at + 1] === 10 ? at + 2 - offset : 0;
    const start = at;
    let colon = 0;
    while (at < end) {
      const byte = bytes[at];
      if (byte === 58 && colon === 0) colon = at;
      else if (byte === 10) break;
      at++;
    }
    readField(start, colon);
    at++;
  }
  return 0;
}

function lower(at: number): number {
  return (bytes[at] as number) | 32;
}

function readField(start: number, colon: number): void {
  const length = colon - start;
  let value = colon + 1;
  if (length === 14 && lower(start) === 99 && lower(start + 8) === 108) {
    while (bytes[value] === 32) value++;
    for (;;) {
      const digit = (bytes[value] as number) - 48;
      if (!(digit >= 0 && digit <= 9)) return;
      contentLength = contentLength * 10 + digit;
      value++;
    }
  }
  if (length === 10 && lower(start) === 99 && lower(start + 3) === 110) {
    while (bytes[value] === 32) value++;
    isCloseAsked = lower(value) === 99;
  }
}

const fromClient: LinkHandler = {
  onConnected: () => {},
  onReceive(link, id, offset, length) {
    const head = headLength(offset, length);
    if (head === 0) {
      buffers.release(id);
      link.close();
      return;
    }
    const server = next;
    next = (next + 1) % targets.length;
    const side = link.context as Side;
    const upstream = idle[server]?.pop() ?? dial(server);
    const far = upstream.context as Side;
    far.peer = link;
    far.isInBody = false;
    side.peer = upstream;
    // The added field replaces the empty line; the room behind the request is free in a GET.
    bytes.set(extra, offset + head - 2);
    upstream.send(id, offset, head - 2 + extra.length);
  },
  onEnd: (link) => link.close(),
  onDrain(link) {
    (link.context as Side).peer?.resume();
  },
  onClosed(link) {
    (link.context as Side).peer?.close();
  },
};

const fromServer: LinkHandler = {
  onConnected: () => {},
  onReceive(link, id, offset, length) {
    const side = link.context as Side;
    const client = side.peer;
    if (client === null) {
      buffers.release(id);
      link.close();
      return;
    }
    if (side.isInBody) side.bodyLeftBytes -= length;
    else {
      const head = headLength(offset, length);
      side.bodyLeftBytes = contentLength - (length - head);
      side.isInBody = true;
      side.isClosing = isCloseAsked;
    }
    client.send(id, offset, length);
    if (client.queuedBytes > limits.queueHighBytes) link.pause();
    if (side.bodyLeftBytes > 0) return;
    side.peer = null;
    (client.context as Side).peer = null;
    link.resume();
    if (side.isClosing) link.close();
    else idle[side.server]?.push(link);
  },
  onEnd: (link) => link.close(),
  onDrain: () => {},
  onClosed(link) {
    const side = link.context as Side;
    const links = idle[side.server] as Link[];
    const at = links.indexOf(link);
    if (at >= 0) links.splice(at, 1);
    side.peer?.close();
  },
};

function dial(server: number): Link {
  const link = driver.dial(targets[server] as DialTarget, fromServer);
  link.context = new Side(server);
  return link;
}

const address = { kind: 'ip', host: '127.0.0.1', port: listenPort } as const;
driver.listen({ kind: 'address', address }, (link) => {
  link.handler = fromClient;
  link.context = new Side(-1);
});
process.on('SIGUSR2', () => process.stdout.write(`${JSON.stringify(driver.gauges())}\n`));
