import type { Hooks } from '../model/hooks.ts';
import type { SharedBuffers } from '../model/shared-memory.ts';
import type { Snapshot } from '../model/snapshot.ts';
import {
  type Column,
  listenerColumns,
  poolColumns,
  routeColumns,
  serverColumns,
} from '../observe/columns.ts';
import { type CounterOwner, CounterReader, endedOf } from '../observe/counters.ts';
import { poolValues } from '../observe/pool-values.ts';
import type { FakeLink } from './fake-driver.ts';
import { type FakePlane, fakeSnapshot, startFakePlane } from './fake-plane.ts';

/** A plain request without a body. */
export const get = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';
/** Its answer. */
export const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

const tables: Readonly<Record<CounterOwner, readonly Column[]>> = {
  listener: listenerColumns,
  route: routeColumns,
  pool: poolColumns,
  server: serverColumns,
};

/** A data plane in a test, with short words for what tests do most. */
export class FakeRun {
  readonly fake: FakePlane & { readonly snapshot: Snapshot };
  readonly #counters: CounterReader;

  /** `servers` of one round-robin pool: the first request goes to the first. */
  constructor(
    servers: number,
    change: Partial<Snapshot> = {},
    among?: { readonly shared: SharedBuffers; readonly worker: number },
    hooks: Hooks | null = null,
  ) {
    const snapshot = fakeSnapshot(servers, change);
    const plane = startFakePlane(snapshot, undefined, among?.shared, among?.worker, hooks);
    this.fake = { ...plane, snapshot };
    this.#counters = new CounterReader(this.fake.shared);
  }

  /** A client that connects and sends `text`. */
  client(text = ''): FakeLink {
    const client = this.fake.driver.accept();
    if (text !== '') client.receive(text);
    return client;
  }

  /** The link that was dialled as number `index`; connected unless that is not wanted. */
  server(index: number, connects = true): FakeLink {
    const link = this.fake.driver.dialled[index];
    if (link === undefined) throw new Error(`link ${index} was not dialled`);
    if (connects && !link.isConnected) link.connect();
    return link;
  }

  /** Links dialled so far. */
  get dials(): number {
    return this.fake.driver.dialled.length;
  }

  advance(ms: number): void {
    this.fake.driver.advance(ms);
  }

  /** A counter of slot 0 (or `slot`) by its name. */
  count(owner: CounterOwner, name: string, slot = 0): number {
    const own = this.#counters.row(owner, slot);
    if (name === 'requests') return endedOf(this.#whole(owner, slot, own));
    if (name === 'withoutServer' && owner === 'pool') return endedOf(own);
    const column = tables[owner].findIndex(({ key }) => key === name);
    if (column < 0) throw new Error(`no counter ${owner} ${name}`);
    return this.#whole(owner, slot, own)[column]!;
  }

  /** A pool counts what its servers count. */
  #whole(owner: CounterOwner, slot: number, own: readonly number[]): readonly number[] {
    if (owner !== 'pool') return own;
    const pool = this.fake.snapshot.pools.find((each) => each.slot === slot)!;
    return poolValues(
      own,
      pool.servers.map((server) => this.#counters.row('server', server.slot)),
    );
  }

  /** Access-log lines so far. */
  log(): Record<string, unknown>[] {
    this.advance(50);
    return this.fake.messages.flatMap((message) =>
      message.type === 'log'
        ? new TextDecoder()
            .decode(message.lines)
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line) as Record<string, unknown>)
        : [],
    );
  }

  /** Exchanges in flight over all servers. */
  get inFlight(): number {
    return this.fake.words.inFlight.reduce((sum, count) => sum + count, 0);
  }
}

/** First line and body of what a link got: `200 OK|ok`. */
export function brief(text: string): string {
  const bodyAt = text.indexOf('\r\n\r\n') + 4;
  return `${text.slice(9, text.indexOf('\r\n'))}|${text.slice(bodyAt).split('\n')[0]}`;
}
