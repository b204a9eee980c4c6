import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../platform/clock.ts';
import { createChannelPair, DescriptorChannel } from '../platform/descriptor-channel.ts';
import { closeDescriptor } from '../platform/sockets.ts';
import { compiledCodeDirectory } from './compiled-code.ts';
import { type Announced, type DescriptorStore, reply } from './descriptor-store.ts';
import type { RunOptions } from './run-options.ts';
import { type Notice, PROTOCOL_VERSION } from './store-protocol.ts';

/** Where the balancer finds its end of the channel, and our stderr when its own is read by us. */
const CHANNEL_FD = 3;
const STDERR_FD = 4;
/** Of what a balancer that is tried writes to stderr, so much is kept to say why it failed. */
const LAST_WORDS_MAX = 2_000;

/** How a child ended. */
export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It could not be started. */
  readonly error: string | null;
}

/** What a child tells its supervisor. */
export interface ChildEvents {
  onAnnounced(child: BalancerChild, announced: Announced): void;
  onEnd(child: BalancerChild, end: ChildEnd): void;
}

/** How a child is started. */
export interface ChildStart {
  readonly node: string;
  readonly entry: URL;
  readonly options: RunOptions;
  readonly generation: number;
  /** Another balancer takes traffic: this one is to take over. */
  readonly isTried: boolean;
  readonly hasChannel: boolean;
  readonly store: DescriptorStore;
  readonly events: ChildEvents;
}

/** One balancer process as its supervisor sees it. */
export class BalancerChild {
  readonly generation: number;
  readonly startedAtMs: number;
  /** It has said that it takes traffic. */
  isRunning = false;
  /** It has said that it ends. */
  isEndMeant = false;
  /** It has said why it fails. */
  why = '';
  readonly #process: ChildProcess;
  readonly #channel: DescriptorChannel | null;
  readonly #store: DescriptorStore;
  readonly #isTried: boolean;
  #lastWords = '';
  #hasEnded = false;

  constructor(start: ChildStart) {
    const { store, events, isTried } = start;
    this.generation = start.generation;
    this.startedAtMs = systemClock.nowMs();
    this.#store = store;
    this.#isTried = isTried;
    const pair = start.hasChannel ? createChannelPair() : null;
    this.#process = spawnBalancer(start, pair === null ? null : pair[1]);
    if (pair !== null) closeDescriptor(pair[1]);
    this.#channel = pair === null ? null : this.#open(pair[0], events);
    if (isTried && this.#channel !== null) store.beginDraft(this.#channel);
    const end = (how: ChildEnd): void => {
      if (this.#hasEnded) return;
      // What it said last may still wait in the channel, and tells why.
      this.#channel?.readAll();
      this.#hasEnded = true;
      this.#channel?.close();
      events.onEnd(this, how);
    };
    this.#process.once('error', (error) => end({ code: null, signal: null, error: error.message }));
    this.#process.once('exit', (code, signal) => end({ code, signal, error: null }));
    this.#process.stderr?.on('data', (bytes: Buffer) => {
      process.stderr.write(bytes);
      this.#lastWords = (this.#lastWords + bytes.toString()).slice(-LAST_WORDS_MAX);
    });
  }

  /** 0 when it could not be started. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** What it wrote to stderr while it was tried that is not a line of our log. */
  get lastWords(): string {
    const lines = this.#lastWords.split('\n').filter((line) => line !== '' && line[0] !== '{');
    return lines.slice(0, 8).join('\n');
  }

  /** Sends a notice; false when it cannot be reached. */
  tell(notice: Notice): boolean {
    if (this.#hasEnded || this.#channel === null) return false;
    return this.#channel.send({ version: PROTOCOL_VERSION, ...notice });
  }

  /** Answers an announcement; `refusal`: why it is not taken. */
  answer({ id }: Announced, refusal: string | null = null): void {
    if (this.#channel === null) return;
    reply(this.#channel, id, refusal === null ? { ok: true } : { ok: false, why: refusal });
  }

  /** What it deposited counts for all from now on. */
  take(): void {
    if (this.#isTried && this.#channel !== null) this.#store.takeDraft(this.#channel);
  }

  /** What it deposited never was. */
  giveUp(): void {
    if (this.#isTried && this.#channel !== null) this.#store.dropDraft(this.#channel);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  #open(fd: number, events: ChildEvents): DescriptorChannel {
    const channel: DescriptorChannel = new DescriptorChannel(fd, {
      onMessage: (message) => {
        const announced = this.#store.answer(channel, message);
        if (announced !== null) events.onAnnounced(this, announced);
      },
      // The child's exit follows or has been seen; it decides.
      onClosed: () => {},
    });
    return channel;
  }
}

function spawnBalancer(start: ChildStart, channelFd: number | null): ChildProcess {
  const { isTried, generation } = start;
  const hasOwnStderr = isTried && channelFd !== null;
  const own = channelFd === null ? [] : [channelFd];
  return spawn(start.node, balancerArguments(start.entry, start.options), {
    stdio: hasOwnStderr
      ? ['ignore', 'inherit', 'pipe', ...own, 2]
      : ['ignore', 'inherit', 'inherit', ...own],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? compiledCodeDirectory(),
      EVENKEEL_SUPERVISOR: String(process.pid),
      EVENKEEL_GENERATION: String(generation),
      EVENKEEL_IS_TRIED: isTried ? '1' : '',
      EVENKEEL_CHANNEL: channelFd === null ? '' : String(CHANNEL_FD),
      EVENKEEL_STDERR: hasOwnStderr ? String(STDERR_FD) : '',
    },
  });
}

/**
 * Same flags as ours. SIGUSR1 would open the inspector of a process that faces the network.
 */
function balancerArguments(entry: URL, options: RunOptions): string[] {
  const own = process.execArgv.filter(
    (flag) => !/^--(test|eval|print|inspect|input-type)/.test(flag),
  );
  const flag = '--disable-sigusr1';
  const isKnown = process.allowedNodeEnvironmentFlags.has(flag);
  const extra = isKnown && !own.includes(flag) ? [flag] : [];
  return [...own, ...extra, fileURLToPath(entry), JSON.stringify(options)];
}
