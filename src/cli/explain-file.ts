import { parseServerAddress } from '../control/config/address.ts';
import type { Config } from '../control/config/config.ts';
import { loadConfig } from '../control/config/load.ts';
import { formatProblem } from '../control/config/problem.ts';
import { toSnapshot } from '../control/config/to-snapshot.ts';
import { explain } from '../control/explain/explain.ts';
import type { ExplainRequest, Explanation } from '../control/explain/explanation.ts';
import type { DialAddress, GeoFile } from '../model/snapshot.ts';
import { GeoDatabase, readGeoFile } from '../platform/geo-database.ts';
import { CommandError } from './command.ts';

/**
 * Explains by a file alone: all servers count as well and idle, and names as resolved. Errors:
 * throws `CommandError` for a bad file, database or request.
 */
export async function explainFile(path: string, asked: ExplainRequest): Promise<Explanation> {
  const loaded = await loadConfig({ kind: 'file', path });
  if (!loaded.ok) throw new CommandError(loaded.problems.map(formatProblem).join('\n'));
  const { config } = loaded;
  const slot = counter();
  const assign = { listener: slot, route: slot, pool: counter(), server: counter() };
  const snapshot = toSnapshot(config, assign, placeOf, 1);
  const outcome = explain(asked, {
    snapshot,
    geography: await geographyOf(config),
    words: null,
    reportOf: () => null,
    portOf: (listener) => portOf(config, listener),
    random: Math.random,
    latencyClock: () => 0,
    wallClock: () => Date.now(),
  });
  if (!outcome.ok) throw new CommandError(outcome.problem);
  return outcome.explanation;
}

function counter(): () => number {
  let next = 0;
  return () => next++;
}

/** Nothing is dialled here: a name stands for its address. */
function placeOf(address: string): DialAddress | null {
  const parsed = parseServerAddress(address);
  if (parsed === null) return null;
  return parsed.kind === 'unix' ? parsed : { kind: 'ip', host: parsed.host, port: parsed.port };
}

function portOf({ listeners }: Config, name: string): number | null {
  const bind = listeners.find((listener) => listener.name === name)?.bind;
  return bind === undefined || bind.kind === 'unix' ? null : bind.port;
}

async function geographyOf({ geo }: Config): Promise<GeoDatabase | null> {
  if (geo === null) return null;
  const bytesOf = async (file: GeoFile | null): Promise<SharedArrayBuffer | null> => {
    if (file === null) return null;
    const read = await readGeoFile(file.path);
    if (read.ok) return read.bytes;
    throw new CommandError(
      `Cannot open ${file.path} as a database of addresses is required: ${read.found}`,
    );
  };
  return new GeoDatabase({ country: await bytesOf(geo.country), asn: await bytesOf(geo.asn) });
}
