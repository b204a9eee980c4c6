import type { FakeLink } from '../../src/data/fake-driver.ts';
import { type FakePlane, fakeSnapshot, startFakePlane } from '../../src/data/fake-plane.ts';
import { ListenerColumn, RouteColumn } from '../../src/observe/columns.ts';
import { type CounterOwner, CounterReader, endedOf } from '../../src/observe/counters.ts';
import type { PlainBuffers } from '../../src/platform/plain-buffers.ts';
import { contentOf } from './grammar.ts';
import { Peer } from './peer.ts';
import { checkQueue, checkRequestContent, isFinal, tagOf } from './rules.ts';
import { type StrictHead, type StrictMessage, StrictReader, valuesOf } from './strict-reader.ts';

/** What happens to a data plane, as plain data: a list of these replays a case. Indices count links as they came. */
export type Step =
  | readonly ['accept']
  | readonly ['asks', client: number, method: string, minor: number, tag: string]
  | readonly ['client', client: number, text: string]
  | readonly ['clientEnd' | 'clientHold' | 'clientRelease', client: number]
  | readonly ['clientTake' | 'clientDie', client: number, amount: number]
  | readonly ['server', server: number, text: string]
  | readonly ['connect' | 'answered' | 'serverEnd' | 'serverHold' | 'serverRelease', server: number]
  | readonly ['serverTake' | 'serverDie', server: number, amount: number]
  | readonly ['advance', ms: number]
  | readonly ['reload', servers: number]
  | readonly ['drain'];

/** What may be relied on in a case. */
export interface CaseFlags {
  /** Every request is valid, and `asks` steps tell of each. */
  readonly honestClients: boolean;
  readonly honestServers: boolean;
  /** Nothing dies, is refused or late: every request must get its whole answer. */
  readonly isCalm: boolean;
  /** Budget of buffers; 0: the product's own. */
  readonly buffers: number;
  /** Places on each server; 0: no limit. */
  readonly connectionsMax: number;
}

/** A played case, with what it found. */
export interface FuzzCase {
  readonly found: string | null;
  readonly flags: CaseFlags;
  readonly steps: readonly Step[];
}

const SILENCE_MS = 420_000;
/** Statuses of ours that valid requests may get: too slow, or no server. */
const OURS: readonly string[] = ['408', '502', '503', '504'];
const NEVER_REPEATED = /^(?:POST|PATCH) /;

/** Owners of counters whose exchanges must all have ended, each once: column of those begun. */
const books: readonly (readonly [owner: CounterOwner, started: number])[] = [
  ['listener', ListenerColumn.STARTED],
  ['route', RouteColumn.STARTED],
];

const planes = new Map<string, FakePlane>();

/** A data plane with the peers of one case around it; every step is followed by a look at every rule. */
export class ExchangeWorld {
  readonly flags: CaseFlags;
  readonly steps: Step[] = [];
  readonly clients: Peer[] = [];
  readonly servers: Peer[] = [];
  readonly #fake: FakePlane;
  readonly #key: string;
  readonly #buffersBefore: number;
  readonly #before: readonly number[][];
  #logLines = 0;

  constructor(flags: CaseFlags) {
    this.flags = flags;
    this.#key = `${flags.buffers} ${flags.connectionsMax}`;
    this.#fake =
      planes.get(this.#key) ?? startFakePlane(snapshotOf(flags, 3), flags.buffers || undefined);
    // put back when the case has ended well
    planes.delete(this.#key);
    const { driver, words } = this.#fake;
    driver.dialled.length = 0;
    for (const view of [words.cursor, words.retryTokens, words.failureStreak]) view.fill(0);
    this.#fake.messages.length = 0;
    this.#buffersBefore = driver.buffers.inUse;
    this.#before = this.#rows();
  }

  get buffers(): PlainBuffers {
    return this.#fake.driver.buffers as PlainBuffers;
  }

  /** Takes a step and checks every rule. Throws what it finds. */
  step(step: Step): void {
    this.steps.push(step);
    this.#do(step);
    for (let i = 0; i < 3; i++) {
      for (const peer of this.clients) peer.pump(this.buffers);
      for (const peer of this.servers) peer.pump(this.buffers);
      this.#noteDialled();
    }
    this.#check();
  }

  /** Ends the case: silence until every time-out has passed or all links die; nothing may be left. */
  end(isSilent: boolean): void {
    const { driver } = this.#fake;
    if (isSilent) {
      driver.advance(SILENCE_MS);
      this.#noteDialled();
      this.#check();
      for (const { link } of [...this.clients, ...this.servers]) {
        if (!link.isGone) throw new Error('a link outlived every time-out');
      }
    }
    for (const [index] of this.clients.entries()) this.#do(['clientDie', index, 104]);
    this.#noteDialled();
    for (const [index] of this.servers.entries()) this.#do(['serverDie', index, 104]);
    driver.advance(200);
    this.#check();
    this.#checkEmpty();
    this.#checkBooks();
    if (!this.steps.some(([name]) => name === 'drain')) planes.set(this.#key, this.#fake);
  }

  #do(step: Step): void {
    const { driver, plane } = this.#fake;
    if (step[0] === 'accept') this.clients.push(this.#clientPeer(driver.accept()));
    else if (step[0] === 'advance') driver.advance(step[1]);
    else if (step[0] === 'drain') plane.drain(5_000);
    else if (step[0] === 'reload') {
      plane.apply(snapshotOf(this.flags, step[1]), { web: { kind: 'descriptor', fd: 0 } });
    } else if (/^(?:client|asks)/.test(step[0])) this.#act(this.clients[step[1] as number], step);
    else this.#act(this.servers[step[1] as number], step);
    driver.settle();
  }

  #act(peer: Peer | undefined, step: Step): void {
    if (peer === undefined) return;
    const { link } = peer;
    switch (step[0]) {
      case 'asks':
        peer.asked.push({ method: step[2], minor: step[3], tag: step[4] });
        return;
      case 'client':
      case 'server':
        if (link.isConnected && !peer.inbox.includes(null)) peer.inbox.push(step[2]);
        return;
      case 'clientEnd':
      case 'serverEnd':
        if (link.isConnected && !peer.inbox.includes(null)) peer.inbox.push(null);
        return;
      case 'clientHold':
      case 'serverHold':
        link.isHeld = true;
        return;
      case 'clientRelease':
      case 'serverRelease':
        link.release();
        return;
      case 'clientTake':
      case 'serverTake':
        link.take(step[2]);
        return;
      case 'clientDie':
      case 'serverDie':
        peer.hasDied ||= !link.isGone;
        link.die(step[2]);
        return;
      case 'answered':
        peer.answered++;
        return;
      case 'connect':
        if (link.isOpen) link.connect();
    }
  }

  #noteDialled(): void {
    const { dialled } = this.#fake.driver;
    for (let i = this.servers.length; i < dialled.length; i++) {
      const peer: Peer = new Peer(
        dialled[i] as FakeLink,
        new StrictReader({
          kind: 'request',
          isBodyless: () => false,
          // where a server agreed to switch, the rest is of another protocol
          isLast: ({ fields }) =>
            valuesOf(fields, 'upgrade').length > 0 && /HTTP\/1\.1 101 /.test(peer.received),
        }),
      );
      this.servers.push(peer);
    }
  }

  #clientPeer(link: FakeLink): Peer {
    const peer: Peer = new Peer(
      link,
      new StrictReader({
        kind: 'response',
        isBodyless: (head, rest, index) => this.#isBodyless(peer, head, rest, index),
        isLast: ({ startLine }) => startLine.startsWith('HTTP/1.1 101'),
      }),
    );
    return peer;
  }

  #isBodyless(peer: Peer, head: StrictHead, rest: string, index: number): boolean | null {
    const { honestClients, honestServers } = this.flags;
    if (honestClients) return peer.asked[index]?.method === 'HEAD';
    if (!honestServers) return false;
    const [serial] = valuesOf(head.fields, 'x-serial');
    if (serial !== undefined) {
      const [server = 0, message = 0] = serial.split('.').map(Number);
      return this.servers[server]?.reader.messages[message]?.startLine.startsWith('HEAD ') ?? false;
    }
    // an answer of our own: its body never begins like a head
    return rest === '' && valuesOf(head.fields, 'content-length')[0] !== '0'
      ? null
      : rest.startsWith('HTTP/1.');
  }

  // The rules.

  #check(): void {
    for (const [index, peer] of this.servers.entries()) this.#checkServer(peer, index);
    for (const peer of this.clients) this.#checkClient(peer);
    const { words } = this.#fake;
    const links = words.links[0] as number;
    if (links < 0 || links > this.clients.length) throw new Error(`${links} links counted`);
    for (let slot = 0; slot < 8; slot++) {
      if ((words.inFlight[slot] as number) < 0)
        throw new Error(`in flight ${words.inFlight[slot]}`);
    }
  }

  #checkServer(peer: Peer, index: number): void {
    const { reader, link } = peer;
    if (link.lateSends > 0) throw new Error('a send on a closed link to a server');
    checkQueue(link);
    if (!peer.read()) return;
    const begun = reader.messages.length + (reader.at < link.text.length && !reader.isRaw ? 1 : 0);
    if (this.flags.honestServers && begun > peer.answered + 1) {
      throw new Error(`server link ${index} got a request before it had answered the one before`);
    }
    if (!this.flags.honestClients) return;
    const last = reader.partial;
    for (const message of last === null
      ? reader.messages.slice(-1)
      : [...reader.messages.slice(-1), last]) {
      checkRequestContent(message);
    }
  }

  #checkClient(peer: Peer): void {
    const { link, reader } = peer;
    if (link.lateSends > 0) throw new Error('a send on a closed link to a client');
    checkQueue(link);
    if (!peer.read()) return;
    const finals = reader.messages.filter(isFinal);
    const most = this.flags.honestClients
      ? peer.asked.length
      : peer.received.split('\r\n\r\n').length;
    if (finals.length > most) throw new Error(`${finals.length} answers to ${most} requests`);
    if (!this.flags.honestClients) return;
    const interims = reader.messages.length - finals.length;
    if (interims > 0 && peer.asked.every(({ minor }) => minor === 0))
      throw new Error('1xx to HTTP/1.0');
    const last = reader.partial;
    if (last !== null && isFinal(last)) finals.push(last);
    for (const [index, message] of finals.entries()) this.#checkAnswer(peer, index, message);
  }

  #checkAnswer(peer: Peer, index: number, message: StrictMessage): void {
    const asked = peer.asked[index];
    if (asked === undefined) throw new Error('an answer without a request');
    if (asked.minor === 0 && message.framing === 'chunked') throw new Error('chunked to HTTP/1.0');
    if (message.framing === 'close' && asked.minor === 1)
      throw new Error('close-delimited to HTTP/1.1');
    const [tag] = valuesOf(message.fields, 'x-tag');
    if (!this.flags.honestServers) return;
    if (tag === undefined) {
      const status = message.startLine.slice(9, 12);
      if (OURS.includes(status)) return;
      throw new Error(`${status} of ours to an honest client: ${message.body}`);
    }
    if (tag !== asked.tag) throw new Error(`answer ${tag} to request ${asked.tag}`);
    const whole = contentOf(tag, Number(valuesOf(message.fields, 'x-length')[0]));
    if (message.framing === 'none' ? message.body !== '' : !whole.startsWith(message.body)) {
      throw new Error(`wrong content in the answer to ${tag}`);
    }
    // a server's body that ends with its link can be cut unseen, but only by that server
    const mayBeCut = !this.flags.isCalm && valuesOf(message.fields, 'x-until').length > 0;
    if (message.isWhole && !mayBeCut && message.framing !== 'none' && message.body !== whole) {
      throw new Error(`content of the answer to ${tag} cut and shown as whole`);
    }
  }

  /** Every request of a calm case has its answer. */
  checkAnswered(): void {
    for (const { asked, reader, link, inbox } of this.clients) {
      const finals = reader.messages.filter(isFinal);
      for (const [index, { tag }] of asked.entries()) {
        const message = finals[index];
        if (message === undefined) {
          const state = `open ${link.isOpen}, paused ${link.isPaused}, ${inbox.length} pieces on their way`;
          throw new Error(
            `no answer to ${tag}: ${state}, ${JSON.stringify(link.text.slice(-200))}`,
          );
        }
        if (valuesOf(message.fields, 'x-tag')[0] !== tag) {
          throw new Error(`${tag} was answered here: ${message.startLine} ${message.body}`);
        }
      }
    }
  }

  #checkEmpty(): void {
    const { driver, words } = this.#fake;
    this.#checkRepeats();
    for (const { link } of [...this.clients, ...this.servers]) {
      if (!link.isGone) throw new Error('a link is left');
    }
    const left = driver.buffers.inUse - this.#buffersBefore;
    if (left !== 0) throw new Error(`${left} buffers left`);
    if (words.links[0] !== 0) throw new Error(`${words.links[0]} links still counted`);
    for (const view of [words.inFlight, words.inFlightByWorker, words.linksByWorker]) {
      if (view.some((word) => word !== 0))
        throw new Error('something is still counted as in flight');
    }
  }

  /** What may have happened is never repeated: POST and PATCH reach one server at most. */
  #checkRepeats(): void {
    if (!this.flags.honestClients) return;
    const seen = new Map<string, number>();
    for (const { reader } of this.servers) {
      for (const { startLine } of reader.partial === null
        ? reader.messages
        : [...reader.messages, reader.partial]) {
        const key = `${startLine.slice(0, startLine.indexOf(' '))} ${tagOf(startLine)}`;
        seen.set(key, (seen.get(key) ?? 0) + 1);
      }
    }
    for (const [key, count] of seen) {
      const most = NEVER_REPEATED.test(key) ? 1 : 3;
      if (count > most) throw new Error(`${key} was sent to ${count} servers`);
    }
  }

  #checkBooks(): void {
    const rows = this.#rows().map((row, owner) =>
      row.map((cell, column) => cell - (this.#before[owner]?.[column] as number)),
    );
    for (const [index, [name, started]] of books.entries()) {
      const row = rows[index] as number[];
      const ended = endedOf(row);
      if (ended !== row[started]) throw new Error(`${name}: ${row[started]} begun, ${ended} ended`);
    }
    const [listener] = rows as [number[]];
    const requests = endedOf(listener);
    let answers = 0;
    for (const { reader } of this.clients) answers += reader.messages.filter(isFinal).length;
    if (this.flags.isCalm && answers !== requests) {
      throw new Error(`${answers} answers, ${requests} counted`);
    }
    const accepted = listener[ListenerColumn.ACCEPTED];
    const closed = listener[ListenerColumn.CLOSED];
    if (accepted !== closed) throw new Error(`${accepted} links accepted, ${closed} closed`);
    for (const message of this.#fake.messages) {
      if (message.type !== 'log') continue;
      for (const line of new TextDecoder().decode(message.lines).split('\n')) {
        if (line === '') continue;
        JSON.parse(line);
        this.#logLines++;
      }
    }
    if (this.#logLines !== requests) throw new Error('log lines ≠ requests');
  }

  #rows(): number[][] {
    const reader = new CounterReader(this.#fake.shared);
    return books.map(([owner]) => reader.row(owner, 0));
  }
}

function snapshotOf(flags: CaseFlags, servers: number) {
  const plain = fakeSnapshot(servers);
  return fakeSnapshot(servers, {
    accessLog: true,
    timeouts: { ...plain.timeouts, tunnelMs: 300_000 },
    pools: plain.pools.map((pool) => ({
      ...pool,
      servers: pool.servers.map((server) => ({ ...server, connectionsMax: flags.connectionsMax })),
    })),
  });
}
