// An open-loop load at a fixed rate, a process of its own, one line of JSON at the end:
//   node open-loop.ts '{"port":1,"path":"/small","rate":20000,"seconds":5,"links":256}'
// Arrivals do not wait for answers: a request whose turn has come while all links are busy queues,
// and its latency counts from its arrival (no coordinated omission). How late this process itself
// was is reported apart, so that a run that says more about it than about the balancer is seen.
import { connect, type Socket } from 'node:net';

interface Options {
  readonly port: number;
  readonly path: string;
  readonly rate: number;
  readonly seconds: number;
  readonly links: number;
}

const options = JSON.parse(process.argv[2] ?? '') as Options;
const request = Buffer.from(`GET ${options.path} HTTP/1.1\r\nHost: lb.test\r\n\r\n`);
const total = Math.floor(options.rate * options.seconds);
const arrivals = new Float64Array(total);
const latencies = new Float64Array(total);
const lateness = new Float64Array(total);
/** Links that wait for work, and for each busy link the number of its request. */
const free: Socket[] = [];
const serves = new Map<Socket, number>();
let issued = 0;
let started = 0;
let answered = 0;
let errors = 0;
let answerBytes = 0;

function give(socket: Socket): void {
  if (started >= issued) {
    free.push(socket);
    return;
  }
  serves.set(socket, started++);
  socket.write(request);
}

function open(onReady: () => void): void {
  const socket = connect(options.port, '127.0.0.1');
  socket.setNoDelay(true);
  let received = 0;
  socket.once('connect', () => {
    // The first answer tells how long each answer is; it is the same for all.
    socket.write(request);
    socket.once('data', (bytes) => {
      answerBytes = bytes.length;
      socket.on('data', (more) => {
        received += more.length;
        if (received < answerBytes) return;
        received = 0;
        const index = serves.get(socket)!;
        latencies[index] = performance.now() - arrivals[index]!;
        answered++;
        give(socket);
      });
      free.push(socket);
      onReady();
    });
  });
  socket.on('error', () => {
    errors++;
  });
}

function run(): void {
  const start = performance.now();
  const step = (): void => {
    const now = performance.now();
    const due = Math.min(total, Math.floor(((now - start) * options.rate) / 1000));
    while (issued < due) {
      arrivals[issued] = now;
      lateness[issued] = now - start - (issued * 1000) / options.rate;
      issued++;
      const socket = free.pop();
      if (socket !== undefined) give(socket);
    }
    const isOver = answered >= total || now - start > options.seconds * 1000 + 3_000;
    if (isOver) finish(now - start);
    else setTimeout(step, 1);
  };
  step();
}

function quantile(list: Float64Array, count: number, share: number): number {
  const sorted = list.slice(0, count).sort();
  return (sorted[Math.min(count - 1, Math.floor(count * share))] ?? 0) * 1000;
}

function finish(elapsedMs: number): void {
  const result = {
    wanted: total,
    answered,
    errors,
    rate: (answered * 1000) / elapsedMs,
    p50Us: quantile(latencies, answered, 0.5),
    p99Us: quantile(latencies, answered, 0.99),
    p999Us: quantile(latencies, answered, 0.999),
    latenessP99Us: quantile(lateness, issued, 0.99),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
}

let ready = 0;
for (let link = 0; link < options.links; link++) {
  open(() => {
    if (++ready === options.links) run();
  });
}
