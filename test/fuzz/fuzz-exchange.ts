import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { integersFrom } from '../vectors/fuzz-codec.ts';
import { type CaseFlags, ExchangeWorld, type FuzzCase, type Step } from './exchange-world.ts';
import { type Asked, type Below, mutate, request, response } from './grammar.ts';
import type { Peer } from './peer.ts';
import { tagOf } from './rules.ts';
import { type StrictMessage, valuesOf } from './strict-reader.ts';

/** What a peer has still to say, in the fuzzer's hands. */
interface Speaker {
  /** Bytes not yet on their way. */
  out: string;
  /** FIN behind them. */
  endsLink: boolean;
  /** Of a server: requests that it has an answer for. */
  answers: number;
  /** An answer's end is behind `out`. */
  isAnswering: boolean;
}

/** Plays one random case on a world. Throws what a rule finds; `world.steps` is then its script. */
class Player {
  readonly #world: ExchangeWorld;
  readonly #below: Below;
  readonly #speakers = new Map<Peer, Speaker>();
  readonly #flags: CaseFlags;

  constructor(world: ExchangeWorld, below: Below) {
    this.#world = world;
    this.#below = below;
    this.#flags = world.flags;
  }

  play(): void {
    const below = this.#below;
    this.#accept();
    for (let left = 10 + below(below(4) === 0 ? 200 : 60); left > 0; left--) this.#act();
    if (this.#flags.isCalm) this.#comeToRest();
    this.#world.end(!this.#flags.isCalm && below(5) === 0);
  }

  #act(): void {
    const below = this.#below;
    const { clients, servers } = this.#world;
    const isCalm = this.#flags.isCalm;
    const kind = below(100);
    if (kind < 4) this.#accept();
    else if (kind < 40) this.#speak('client', below(clients.length));
    else if (kind < 55 && servers.length > 0) this.#connect(this.#lately(servers.length));
    else if (kind < 85 && servers.length > 0) this.#serve(this.#lately(servers.length));
    else if (kind < 89) this.#time();
    else if (kind < 94) this.#flow('client', below(clients.length));
    else if (kind < 96 && servers.length > 0) this.#flow('server', this.#lately(servers.length));
    else if (kind < 98 && !isCalm) this.#hurt();
    else if (kind === 98 && below(3) === 0) this.#world.step(['reload', 1 + below(4)]);
    else if (kind === 99 && !isCalm && below(20) === 0) this.#world.step(['drain']);
  }

  /** Servers that were dialled last matter most. */
  #lately(count: number): number {
    return Math.max(0, count - 1 - this.#below(this.#below(2) === 0 ? 3 : count));
  }

  #speaker(peer: Peer): Speaker {
    let speaker = this.#speakers.get(peer);
    if (speaker === undefined) {
      speaker = { out: '', endsLink: false, answers: 0, isAnswering: false };
      this.#speakers.set(peer, speaker);
    }
    return speaker;
  }

  #accept(): void {
    const below = this.#below;
    const { honestClients, honestServers } = this.#flags;
    const index = this.#world.clients.length;
    if (index > 5) return;
    this.#world.step(['accept']);
    const speaker = this.#speaker(this.#world.clients[index] as Peer);
    if (below(5) === 0) this.#world.step(['clientHold', index]);
    const count = 1 + below(below(3) === 0 ? 8 : 2);
    for (let i = 0; i < count; i++) {
      const made = request(below, `${index}-${i}`, i === count - 1, honestClients || honestServers);
      if (honestClients) this.#world.step(['asks', index, made.method, made.minor, made.tag]);
      const isHarmed = !honestClients && below(2) === 0;
      speaker.out += isHarmed ? mutate(below, made.text) : made.text;
    }
  }

  /** Sends a random piece of what waits; the FIN behind the last. */
  #speak(side: 'client' | 'server', index: number): void {
    const below = this.#below;
    const peer = (side === 'client' ? this.#world.clients : this.#world.servers)[index] as Peer;
    const speaker = this.#speaker(peer);
    if (!peer.link.isConnected || peer.link.isGone) return;
    const kind = below(10);
    const length = kind < 2 ? 1 + below(4) : kind < 5 ? 1 + below(200) : 16_384;
    if (kind === 9) {
      // a fast sender: buffer after buffer
      for (let left = below(20); left > 0 && speaker.out.length > length; left--) {
        this.#world.step([side, index, speaker.out.slice(0, length)]);
        speaker.out = speaker.out.slice(length);
      }
    }
    const piece = speaker.out.slice(0, length);
    speaker.out = speaker.out.slice(length);
    if (speaker.isAnswering && speaker.out.length === 0) {
      // said first: with the last byte the next request may come
      speaker.isAnswering = false;
      this.#world.step(['answered', index]);
    }
    if (piece.length > 0) this.#world.step([side, index, piece]);
    if (speaker.out.length > 0) return;
    if (speaker.endsLink) {
      speaker.endsLink = false;
      this.#world.step([`${side}End`, index]);
    }
  }

  #connect(index: number): void {
    const { link } = this.#world.servers[index] as Peer;
    if (link.isConnected || link.isGone) return;
    if (!this.#flags.isCalm && this.#below(5) === 0) {
      this.#world.step(['serverDie', index, this.#below(2) === 0 ? 111 : 113]);
    } else {
      if (this.#below(8) === 0) this.#world.step(['serverHold', index]);
      this.#world.step(['connect', index]);
    }
  }

  /** Answers what has come, or says more of the answer. */
  #serve(index: number): void {
    const below = this.#below;
    const peer = this.#world.servers[index] as Peer;
    const speaker = this.#speaker(peer);
    if (!peer.link.isConnected || peer.link.isGone) return;
    const { reader } = peer;
    const isEarly = !this.#flags.isCalm && below(3) === 0 && reader.partial !== null;
    const asked = reader.messages[speaker.answers] ?? (isEarly ? reader.partial : null);
    const isFree = speaker.out === '' && !speaker.isAnswering;
    if (asked !== null && isFree) this.#answer(peer, index, asked);
    else if (speaker.out === '' && !this.#flags.honestServers && below(30) === 0) {
      // a byte that nobody asked for
      this.#world.step([
        'server',
        index,
        'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'.slice(0, 1 + below(40)),
      ]);
    }
    for (let left = below(4); left > 0; left--) this.#speak('server', index);
    if (!this.#flags.isCalm && below(25) === 0) this.#world.step(['serverEnd', index]);
  }

  #answer(peer: Peer, index: number, message: StrictMessage): void {
    const speaker = this.#speaker(peer);
    const asked: Asked = {
      tag: tagOf(message.startLine),
      serial: `${index}.${speaker.answers}`,
      isHead: message.startLine.startsWith('HEAD '),
      wantsUpgrade: valuesOf(message.fields, 'upgrade').length > 0,
      expects: valuesOf(message.fields, 'expect').length > 0,
    };
    const { text, endsLink } = response(this.#below, asked);
    const isHarmed = !this.#flags.honestServers && this.#below(2) === 0;
    speaker.answers++;
    speaker.out = isHarmed ? mutate(this.#below, text) : text;
    speaker.isAnswering = true;
    speaker.endsLink = endsLink || (!this.#flags.isCalm && this.#below(12) === 0);
  }

  #time(): void {
    const below = this.#below;
    if (this.#flags.isCalm) this.#world.step(['advance', 1 + below(30)]);
    else
      this.#world.step([
        'advance',
        [10, 60, 1_100, 2_100, 4_500, 11_000, 61_000][below(7)] as number,
      ]);
  }

  #flow(side: 'client' | 'server', index: number): void {
    const below = this.#below;
    const kind = below(3);
    if (kind === 0) this.#world.step([`${side}Hold`, index]);
    else if (kind === 1) this.#world.step([`${side}Take`, index, 1 + below(100_000)]);
    else this.#world.step([`${side}Release`, index]);
  }

  #hurt(): void {
    const below = this.#below;
    const { clients, servers } = this.#world;
    const kind = below(4);
    const errno = [0, 104, 32, 110][below(4)] as number;
    if (kind === 0) this.#world.step(['clientEnd', below(clients.length)]);
    else if (kind === 1) this.#world.step(['clientDie', below(clients.length), errno]);
    else if (servers.length > 0) {
      const index = this.#lately(servers.length);
      if (kind === 2) this.#world.step(['serverEnd', index]);
      else this.#world.step(['serverDie', index, errno]);
    }
  }

  /** Everyone says and takes all there is; then every request must have its answer. */
  #comeToRest(): void {
    const { clients, servers, steps } = this.#world;
    for (let round = 0, quiet = 0; quiet < 4; round++) {
      if (round > 20_000) throw new Error('a calm case does not come to rest');
      const before = steps.length;
      for (const [index, { link }] of clients.entries()) {
        if (link.isHeld) this.#world.step(['clientRelease', index]);
        this.#speak('client', index);
      }
      for (let index = 0; index < servers.length; index++) {
        const { link } = servers[index] as Peer;
        if (link.isHeld) this.#world.step(['serverRelease', index]);
        this.#connect(index);
        this.#serve(index);
        this.#speak('server', index);
      }
      quiet = steps.length === before ? quiet + 1 : 0;
      if (quiet > 0) this.#world.step(['advance', 1]);
    }
    this.#world.checkAnswered();
  }
}

function flagsOf(below: Below): CaseFlags {
  const isCalm = below(3) === 0;
  const isScarce = !isCalm && below(12) === 0;
  return {
    isCalm,
    honestClients: isCalm || below(2) === 0,
    honestServers: isCalm || below(2) === 0,
    buffers: isScarce ? 24 : 2_048,
    connectionsMax: !isCalm && below(6) === 0 ? 1 : 0,
  };
}

/** Plays the case of a seed; `found` is null when nothing was. */
export function playCase(seed: number): FuzzCase {
  const below = integersFrom(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995);
  for (let i = 0; i < 4; i++) below(2);
  const flags = flagsOf(below);
  const world = new ExchangeWorld(flags);
  try {
    new Player(world, below).play();
    return { found: null, flags, steps: world.steps };
  } catch (error) {
    const found = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { found, flags, steps: world.steps };
  }
}

/** Plays a recorded case: what it finds, or null. The end is played both ways. */
export function replay(flags: CaseFlags, steps: readonly Step[]): string | null {
  for (const isSilent of [false, true]) {
    try {
      const world = new ExchangeWorld(flags);
      for (const step of steps) world.step(step);
      if (flags.isCalm) world.checkAnswered();
      world.end(isSilent);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  return null;
}

/** Leaves out steps as long as the same fault is found. */
export function shrink({ flags, steps, found }: FuzzCase): FuzzCase {
  const word = (text: string | null) =>
    text?.replace(/^Error: |\n.*$/gs, '').replace(/[0-9]+|".*$/gs, '#');
  let best = steps;
  const goal = word(replay(flags, best));
  if (goal === undefined || goal !== word(found)) return { flags, steps, found };
  for (let size = best.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < best.length; ) {
      const fewer = [...best.slice(0, at), ...best.slice(at + size)];
      if (word(replay(flags, fewer)) === goal) best = fewer;
      else at += size;
    }
  }
  return { flags, steps: best, found: replay(flags, best) ?? found };
}

/** A fault that the fuzzer found, with the script for `regressions.ts`. */
class FuzzFinding extends Error {
  readonly script: string;

  constructor(seed: number, { found, flags, steps }: FuzzCase) {
    const script = JSON.stringify({ flags, steps });
    super(
      `seed ${seed}: ${found}\nfor regressions.ts (${script.length} characters): ${script.slice(0, 4_000)}`,
    );
    this.script = script;
  }
}

/** Runs cases from `seed` on until `isOver`; returns how many were played, throws at a finding. */
export function fuzzExchange(seed: number, isOver: () => boolean): number {
  let played = 0;
  while (!isOver()) {
    const found = playCase(seed + played);
    if (found.found !== null) {
      throw new FuzzFinding(seed + played, shrink(found));
    }
    played++;
  }
  return played;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, seed: { type: 'string' }, save: { type: 'string' } },
  });
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const endMs = performance.now() + Number(values.seconds ?? 60) * 1_000;
  console.log(`seed ${seed}`);
  try {
    const played = fuzzExchange(seed, () => performance.now() > endMs);
    console.log(`${played} cases played, nothing found`);
  } catch (error) {
    if (!(error instanceof FuzzFinding)) throw error;
    if (values.save !== undefined) writeFileSync(values.save, error.script);
    console.log(error.message);
    process.exitCode = 1;
  }
}
