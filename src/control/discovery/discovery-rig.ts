import { systemClock } from '../../platform/clock.ts';
import { localConfigFiles } from '../../platform/config-files.ts';
import { recordQueries } from '../../platform/dns.ts';
import { fileMark } from '../../platform/files.ts';
import { httpClient } from '../../platform/http-client.ts';
import type { SourceMeans, SourceSink } from './source.ts';

/** This machine's clock, files and sockets: for tests against real peers on loopback. */
export const realMeans: SourceMeans = {
  clock: systemClock,
  random: () => 0.5,
  dns: recordQueries,
  http: httpClient,
  readFile: localConfigFiles.read,
  fileMark,
};

/** A test must not wait for ever for what a source should tell. */
const DEADLINE_MS = 10_000;

/**
 * A sink that remembers: `until('a b')` resolves when the last answer has exactly these addresses,
 * `until('failed', isRight)` when the last word is a failure that is right.
 */
export function seeing(): {
  readonly sink: SourceSink;
  readonly told: string[];
  until(what: string, isRight?: (why: string) => boolean): Promise<void>;
} {
  const told: string[] = [];
  let look = (): void => {};
  const tell = (text: string): void => {
    told.push(text);
    look();
  };
  const sink: SourceSink = {
    found: (servers) => tell(servers.map(({ address }) => address).join(' ')),
    same: () => tell('same'),
    failed: (why) => tell(`failed ${why}`),
  };
  const until = (what: string, isRight = (_why: string) => true): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = systemClock.after(DEADLINE_MS, () => {
        reject(new Error(`not told: ${what}; told: ${told.join(' | ')}`));
      });
      look = (): void => {
        const last = told.at(-1) ?? 'nothing';
        const is = what === 'failed' ? last.startsWith('failed ') && isRight(last) : last === what;
        if (!is) return;
        look = (): void => {};
        late.stop();
        resolve();
      };
      look();
    });
  return { sink, told, until };
}
