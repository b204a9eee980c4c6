import { Buffer } from 'node:buffer';
import { TimerEntry, TimingWheel } from '../base/timing-wheel.ts';
import type { HashKey } from '../model/balancing.ts';
import { AnswerHead } from './answer-head.ts';
import type { Peer, SimulatedDriver, SimulatedLink } from './driver.ts';
import { RESET } from './driver.ts';
import { RequestText } from './request-text.ts';
import type { ClientPlan } from './scenario.ts';
import { drawExponential, drawServiceUs } from './service-time.ts';
import type { Outcome, Tally } from './tally.ts';
import { ThreadEvent } from './thread.ts';
import { TimedEvent, type Timeline } from './timeline.ts';

const answerHead: AnswerHead = new AnswerHead();
const TICK_MS = 10;
const BACKOFFS_MAX = 16;

/** What clients are told apart from their own figures. */
export interface ClientWatcher {
  /** A request ended for its client; every request ends once. */
  ended(request: ClientRequest, outcome: Outcome): void;
}

/** What clients are made with. */
export interface ClientMeans {
  readonly timeline: Timeline;
  readonly random: () => number;
  readonly delayUs: number;
  readonly drivers: readonly SimulatedDriver[];
  /** Where the pool's policy looks for its key. */
  readonly key: HashKey;
  readonly tally: Tally;
  readonly watcher: ClientWatcher;
}

/** One request as its client sees it. */
export class ClientRequest {
  readonly id: number;
  readonly user: number;
  readonly isPost: boolean;
  readonly startedAtUs: number;
  /** How often it was asked before. */
  readonly repeats: number;
  readonly timer: TimerEntry;
  end: ClientEnd | null = null;
  isOver = false;
  /** Attempts at servers, kept by the invariants. */
  attempts = 0;

  constructor(
    id: number,
    user: { index: number; isPost: boolean; repeats: number },
    startedAtUs: number,
    onTimer: (request: ClientRequest) => void,
  ) {
    this.id = id;
    this.user = user.index;
    this.isPost = user.isPost;
    this.repeats = user.repeats;
    this.startedAtUs = startedAtUs;
    this.timer = new TimerEntry(() => onTimer(this));
  }
}

/** Simulated clients: users with links that are kept for further requests, as browsers do. */
export class Clients {
  /** Requests per second; events change it. */
  rate: number;
  /** Requests sent and not ended. */
  readonly open: Map<number, ClientRequest> = new Map();
  /** Requests that reached the balancer. */
  sent = 0;
  readonly #plan: ClientPlan;
  readonly #means: ClientMeans;
  readonly #wheel: TimingWheel;
  readonly #idle: ClientEnd[][];
  readonly #gets: RequestText;
  readonly #posts: RequestText;
  /** Shares of users added up; empty when all are alike. */
  readonly #cumulative: Float64Array;
  #isStopped = false;
  #nextId = 0;

  constructor(plan: ClientPlan, means: ClientMeans) {
    this.#plan = plan;
    this.#means = means;
    this.rate = plan.rate;
    this.#gets = new RequestText('GET', means.key);
    this.#posts = new RequestText('POST', means.key);
    this.#wheel = new TimingWheel(TICK_MS, 0);
    this.#idle = Array.from({ length: plan.users }, () => []);
    this.#cumulative = zipf(plan.users, plan.skew);
  }

  /** The first requests; closed-loop users come spread over their thinking time. */
  start(): void {
    const { timeline, random } = this.#means;
    if (this.#plan.rate > 0) timeline.schedule(0, new NextArrival(this));
    else {
      const spreadUs = Math.max(this.#plan.think.meanUs, 1000);
      for (let user = 0; user < this.#plan.users; user++) {
        timeline.call(random() * spreadUs, () => this.ask(user, 0));
      }
    }
    this.#turnWheel();
  }

  /** No further requests. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Called by the event of an arrival: asks and schedules the next. */
  arrive(event: TimedEvent): void {
    if (this.#isStopped) return;
    const { timeline, random } = this.#means;
    this.ask(this.#drawUser(), 0);
    timeline.schedule(drawExponential(1e6 / this.rate, random), event);
  }

  /** A user sends a request, over a link that it has or a new one. */
  ask(user: number, repeats: number): void {
    if (this.#isStopped) return;
    const { timeline, random, delayUs } = this.#means;
    const isPost = this.#plan.postRatio > 0 && random() < this.#plan.postRatio;
    const about = { index: user, isPost, repeats };
    const request = new ClientRequest(this.#nextId++, about, timeline.nowUs, this.#onTimeout);
    this.open.set(request.id, request);
    this.#wheel.schedule(request.timer, (timeline.nowUs + this.#plan.timeoutUs) / 1000);
    const end = this.#idle[user]!.pop() ?? new ClientEnd(this, user, this.#pickDriver());
    end.request = request;
    request.end = end;
    timeline.schedule(delayUs, new Sending(end, request));
  }

  /** The request's bytes reach the balancer. */
  deliver(end: ClientEnd, request: ClientRequest): void {
    if (request.isOver) return;
    const link = end.open();
    if (!link.isOpen) return;
    this.sent++;
    link.deliver((request.isPost ? this.#posts : this.#gets).of(request.id, request.user));
  }

  /** The answer is whole, or will never be. */
  over(request: ClientRequest, outcome: Outcome): void {
    if (request.isOver) return;
    request.isOver = true;
    this.#wheel.cancel(request.timer);
    this.open.delete(request.id);
    const { timeline, tally, watcher, delayUs, random } = this.#means;
    // The answer has its way to the client before it; a client that gives up needs none.
    const wayUs = outcome === 'gave-up' ? 0 : delayUs;
    tally.record(outcome, request.startedAtUs, timeline.nowUs + wayUs);
    watcher.ended(request, outcome);
    const { retries, backoffUs, think, rate } = this.#plan;
    if (outcome !== 'ok' && request.repeats < retries) {
      const mostUs = backoffUs * 2 ** Math.min(request.repeats, BACKOFFS_MAX);
      timeline.call(wayUs + random() * mostUs, () => this.ask(request.user, request.repeats + 1));
    } else if (rate === 0) {
      const thinkUs = drawServiceUs(think, random);
      timeline.call(wayUs + thinkUs, () => this.ask(request.user, 0));
    }
  }

  keep(end: ClientEnd): void {
    this.#idle[end.user]!.push(end);
  }

  forget(end: ClientEnd): void {
    const idle = this.#idle[end.user]!;
    const at = idle.indexOf(end);
    if (at >= 0) idle.splice(at, 1);
  }

  /** `10.16.0.0` and following: one address per user. */
  addressOf(user: number): string {
    return `10.${16 + ((user >>> 16) & 127)}.${(user >>> 8) & 255}.${user & 255}`;
  }

  #pickDriver(): SimulatedDriver {
    const { drivers, random } = this.#means;
    return drivers[Math.floor(random() * drivers.length)]!;
  }

  #drawUser(): number {
    const { random } = this.#means;
    const drawn = random();
    const shares = this.#cumulative;
    if (shares.length === 0) return Math.floor(drawn * this.#plan.users);
    let low = 0;
    let high = shares.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (shares[middle]! > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #turnWheel(): void {
    const { timeline } = this.#means;
    this.#wheel.advance(timeline.nowUs / 1000);
    if (!this.#isStopped || this.open.size > 0) {
      timeline.call(TICK_MS * 1000, () => this.#turnWheel());
    }
  }

  readonly #onTimeout = (request: ClientRequest): void => {
    const end = request.end;
    if (end !== null) end.giveUp();
    this.over(request, 'gave-up');
  };
}

class NextArrival extends TimedEvent {
  readonly #clients: Clients;

  constructor(clients: Clients) {
    super();
    this.#clients = clients;
  }

  override fire(): void {
    this.#clients.arrive(this);
  }
}

/** A request on its way to the balancer. */
class Sending extends ThreadEvent {
  readonly #end: ClientEnd;
  readonly #request: ClientRequest;

  constructor(end: ClientEnd, request: ClientRequest) {
    super(end.driver.thread);
    this.#end = end;
    this.#request = request;
  }

  protected override run(): void {
    this.#end.clients.deliver(this.#end, this.#request);
  }
}

/** A client's end of one link: one request at a time. */
class ClientEnd implements Peer {
  readonly clients: Clients;
  readonly user: number;
  readonly driver: SimulatedDriver;
  request: ClientRequest | null = null;
  #link: SimulatedLink | null = null;
  /** The beginning of a head that came in pieces. */
  #partial: Uint8Array | null = null;
  #status = 0;
  /** Bytes of the body that are still to come; -1 while the head is not whole. */
  #bodyBytes = -1;

  constructor(clients: Clients, user: number, driver: SimulatedDriver) {
    this.clients = clients;
    this.user = user;
    this.driver = driver;
  }

  /** The link, connected anew when there is none or the balancer closed it while it was idle. */
  open(): SimulatedLink {
    const known = this.#link;
    if (known?.isOpen === true) return known;
    const link = this.driver.accept(this.clients.addressOf(this.user), this);
    this.#link = link;
    if (!link.isOpen) this.closed(link);
    return link;
  }

  take(bytes: Uint8Array, start: number, end: number): void {
    if (this.#partial !== null) {
      const whole = Buffer.concat([this.#partial, bytes.subarray(start, end)]);
      this.#partial = null;
      this.take(whole, 0, whole.length);
      return;
    }
    let at = start;
    if (this.#bodyBytes < 0) {
      at = answerHead.read(bytes, start, end);
      if (at < 0) {
        this.#partial = bytes.slice(start, end);
        return;
      }
      this.#status = answerHead.status;
      // An interim answer: another head follows.
      if (this.#status < 200) return;
      this.#bodyBytes = answerHead.contentLength;
    }
    this.#bodyBytes -= end - at;
    if (this.#bodyBytes <= 0) this.#answered();
  }

  closed(link: SimulatedLink): void {
    // One that the balancer half-closed before a newer one was opened.
    if (link !== this.#link) return;
    const request = this.request;
    this.#link = null;
    this.request = null;
    this.#bodyBytes = -1;
    this.#partial = null;
    if (request === null) this.clients.forget(this);
    else this.clients.over(request, 'cut');
  }

  /** The client gives up and resets its link. */
  giveUp(): void {
    const link = this.#link;
    this.request = null;
    this.#link = null;
    if (link === null) return;
    link.peer = null;
    this.driver.thread.after(0, () => link.die(RESET));
  }

  #answered(): void {
    const request = this.request;
    this.request = null;
    this.#bodyBytes = -1;
    if (request === null) return;
    this.clients.keep(this);
    this.clients.over(request, this.#status >= 500 ? 'error' : 'ok');
  }
}

function zipf(users: number, skew: number): Float64Array {
  if (skew === 0) return new Float64Array(0);
  const shares = new Float64Array(users);
  let sum = 0;
  for (let user = 0; user < users; user++) {
    sum += (user + 1) ** -skew;
    shares[user] = sum;
  }
  for (let user = 0; user < users; user++) shares[user]! /= sum;
  return shares;
}
