import { Buffer } from 'node:buffer';
import type { Peer, SimulatedLink } from './driver.ts';
import { RESET } from './driver.ts';
import type { Late, ServerPlan } from './scenario.ts';
import { drawServiceUs } from './service-time.ts';
import { ThreadEvent } from './thread.ts';
import { TimedEvent, type Timeline } from './timeline.ts';

const REFUSED = 111;
const UNREACHABLE = 113;
const ID_DIGITS = 10;
const ID_NAME: Buffer = Buffer.from('X-Simulated: ');
const POST_FIRST = 'P'.charCodeAt(0);
const CR = 13;
const LF = 10;

/** What a server tells of its requests; ids are those of the clients. */
export interface ServerWatcher {
  /** The balancer has picked a server: still inside the turn that did. */
  picked(server: SimulatedServer): void;
  /** A request leaves for a server. */
  sent(server: SimulatedServer, requestId: number, isPost: boolean): void;
}

/** What servers are made with. */
export interface ServerMeans {
  readonly timeline: Timeline;
  readonly random: () => number;
  readonly delayUs: number;
  readonly watcher: ServerWatcher;
}

/** A request at a server, from its arrival to its answer. */
class Job extends TimedEvent {
  readonly end: ServerEnd;
  readonly arrivedAtUs: number;
  /** Of the server when it arrived: a server that died meanwhile answers nothing. */
  readonly life: number;

  constructor(end: ServerEnd, arrivedAtUs: number, life: number) {
    super();
    this.end = end;
    this.arrivedAtUs = arrivedAtUs;
    this.life = life;
  }

  override fire(): void {
    this.end.server.finish(this);
  }
}

/**
 * A server: works on `concurrency` requests at a time, lets others wait in a queue, and behaves as its
 * plan and the events of the scenario say.
 */
export class SimulatedServer {
  readonly index: number;
  readonly slot: number;
  readonly address: string;
  readonly plan: ServerPlan;
  /** `up`, or how it is down: refuses connections, or vanished without a word. */
  state: 'up' | 'refuse' | 'vanish' = 'up';
  factor = 1;
  late: Late;
  errorRatio: number;
  errorStatus: number;
  /** Answers given since the count began, and how many of them were errors. */
  served = 0;
  errors = 0;
  /** Requests that waited, µs all together, and the longest queue. */
  waitedUs = 0;
  queueLongest = 0;
  life = 0;
  #busy = 0;
  #upSinceUs = Number.NEGATIVE_INFINITY;
  #queue: Job[] = [];
  #queueHead = 0;
  readonly #ends = new Set<ServerEnd>();
  readonly means: ServerMeans;

  constructor(index: number, slot: number, address: string, plan: ServerPlan, means: ServerMeans) {
    this.index = index;
    this.slot = slot;
    this.address = address;
    this.plan = plan;
    this.means = means;
    this.late = plan.late;
    this.errorRatio = plan.errorRatio;
    this.errorStatus = plan.errorStatus;
  }

  /** Requests that wait here. */
  get queued(): number {
    return this.#queue.length - this.#queueHead;
  }

  /** Its caches are empty from now on. */
  startCold(): void {
    this.#upSinceUs = this.means.timeline.nowUs;
  }

  /** Figures begin anew. */
  forget(): void {
    this.served = 0;
    this.errors = 0;
    this.waitedUs = 0;
    this.queueLongest = 0;
  }

  goDown(how: 'refuse' | 'vanish'): void {
    this.state = how;
    this.life++;
    this.#busy = 0;
    this.#queue = [];
    this.#queueHead = 0;
    if (how === 'vanish') return;
    for (const end of this.#ends) end.dies(RESET);
    this.#ends.clear();
  }

  comeUp(): void {
    if (this.state === 'up') return;
    // What a vanished machine had open is unknown to the one that comes back.
    for (const end of this.#ends) end.dies(RESET);
    this.#ends.clear();
    this.state = 'up';
    this.startCold();
  }

  /** The balancer dials. */
  dialled(link: SimulatedLink): void {
    const end = new ServerEnd(this, link);
    link.peer = end;
    this.means.watcher.picked(this);
    if (this.state === 'vanish') return;
    if (this.state === 'refuse') end.dies(REFUSED);
    else {
      this.#ends.add(end);
      link.driver.thread.after(2 * this.means.delayUs, () => link.connect());
    }
  }

  /** A dial to an address that no server has. */
  static unreachable(link: SimulatedLink): void {
    link.driver.thread.after(0, () => link.die(UNREACHABLE));
  }

  lost(end: ServerEnd): void {
    this.#ends.delete(end);
  }

  /** A request has arrived. */
  arrived(end: ServerEnd): void {
    if (this.state !== 'up') {
      if (this.state === 'refuse') end.dies(RESET);
      return;
    }
    const job = new Job(end, this.means.timeline.nowUs, this.life);
    if (this.#busy < this.plan.concurrency) this.#work(job);
    else if (this.queued < this.plan.queueMax) {
      this.#queue.push(job);
      this.queueLongest = Math.max(this.queueLongest, this.queued);
    } else this.#answer(job, 503);
  }

  /** The work on a request is done. */
  finish(job: Job): void {
    if (job.life !== this.life) return;
    this.#busy--;
    const isError = this.errorRatio > 0 && this.means.random() < this.errorRatio;
    this.#answer(job, isError ? this.errorStatus : 200);
    if (this.queued === 0) return;
    const next = this.#queue[this.#queueHead++]!;
    if (this.#queueHead > 1024 && this.#queueHead * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#queueHead);
      this.#queueHead = 0;
    }
    this.#work(next);
  }

  #work(job: Job): void {
    const { timeline, random } = this.means;
    this.#busy++;
    this.waitedUs += timeline.nowUs - job.arrivedAtUs;
    const isLate = this.late.ratio > 0 && random() < this.late.ratio;
    const workUs = drawServiceUs(this.plan.service, random) * this.factor * this.#coldFactor();
    timeline.schedule(workUs + (isLate ? this.late.byUs : 0), job);
  }

  /** Falls in a straight line from the plan's factor to 1. */
  #coldFactor(): number {
    const { factor, forUs } = this.plan.cold;
    const sinceUs = this.means.timeline.nowUs - this.#upSinceUs;
    return sinceUs >= forUs ? 1 : factor - ((factor - 1) * sinceUs) / forUs;
  }

  #answer(job: Job, status: number): void {
    this.served++;
    if (status >= 500) this.errors++;
    job.end.answer(status);
  }
}

/** A request on its way to a server. */
class Arrival extends TimedEvent {
  readonly #end: ServerEnd;

  constructor(end: ServerEnd) {
    super();
    this.#end = end;
  }

  override fire(): void {
    this.#end.server.arrived(this.#end);
  }
}

/** An answer on its way to the balancer. */
class Answer extends ThreadEvent {
  readonly #link: SimulatedLink;
  readonly #bytes: Uint8Array;

  constructor(link: SimulatedLink, bytes: Uint8Array) {
    super(link.driver.thread);
    this.#link = link;
    this.#bytes = bytes;
  }

  protected override run(): void {
    this.#link.deliver(this.#bytes);
  }
}

/** A server's end of one link: one request at a time. */
class ServerEnd implements Peer {
  readonly server: SimulatedServer;
  readonly #link: SimulatedLink;
  /** The beginning of a request whose head came in pieces. */
  #partial: Uint8Array | null = null;
  readonly #arrival: Arrival;
  /** Its first request was picked when it was dialled. */
  #isFresh = true;

  constructor(server: SimulatedServer, link: SimulatedLink) {
    this.server = server;
    this.#link = link;
    this.#arrival = new Arrival(this);
  }

  take(bytes: Uint8Array, start: number, end: number): void {
    // Requests have no body: what ends a head is the end of what comes.
    const isWhole = endsHead(bytes, end);
    if (isWhole && this.#partial === null) {
      this.#request(bytes, start, end);
      return;
    }
    const before = this.#partial ?? new Uint8Array(0);
    const whole = Buffer.concat([before, bytes.subarray(start, end)]);
    this.#partial = isWhole ? null : whole;
    if (isWhole) this.#request(whole, 0, whole.length);
  }

  closed(): void {
    this.server.lost(this);
  }

  /** The network tells the balancer that this link is dead. */
  dies(errno: number): void {
    this.#link.driver.thread.after(this.server.means.delayUs, () => this.#link.die(errno));
  }

  answer(status: number): void {
    if (!this.#link.isOpen) return;
    const { timeline, delayUs } = this.server.means;
    timeline.schedule(delayUs, new Answer(this.#link, answerOf(status)));
  }

  #request(bytes: Uint8Array, start: number, end: number): void {
    const { timeline, delayUs, watcher } = this.server.means;
    const id = idOf(bytes, start, end);
    if (this.#isFresh) this.#isFresh = false;
    else watcher.picked(this.server);
    watcher.sent(this.server, id, bytes[start] === POST_FIRST);
    timeline.schedule(delayUs, this.#arrival);
  }
}

function endsHead(bytes: Uint8Array, end: number): boolean {
  return bytes[end - 1] === LF && bytes[end - 2] === CR && bytes[end - 3] === LF;
}

/** The number of the client's request; -1 where there is none (a probe, a hook's own). */
function idOf(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end - ID_NAME.length - ID_DIGITS; at++) {
    if (bytes[at] === LF && isNameAt(bytes, at + 1)) return digits(bytes, at + 1 + ID_NAME.length);
  }
  return -1;
}

function isNameAt(bytes: Uint8Array, at: number): boolean {
  for (let index = 0; index < ID_NAME.length; index++) {
    if (bytes[at + index] !== ID_NAME[index]) return false;
  }
  return true;
}

function digits(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let index = at; index < at + ID_DIGITS; index++) value = value * 10 + bytes[index]! - 48;
  return value;
}

const answers = new Map<number, Uint8Array>();

function answerOf(status: number): Uint8Array {
  let bytes = answers.get(status);
  if (bytes === undefined) {
    bytes = Buffer.from(`HTTP/1.1 ${status} Simulated\r\nContent-Length: 2\r\n\r\nok`);
    answers.set(status, bytes);
  }
  return bytes;
}
