import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../base/invariant.ts';
import {
  type FromKeeper,
  HistoryKeeper,
  type KeeperStart,
  type ToKeeper,
} from '../control/history/keeper.ts';
import { HistoryDatabase, isHeldByAnother, putAside } from '../platform/history-database.ts';

/** What a kill of the process loses at most, with the open second before it. */
const COMMIT_MS = 5_000;
/** While the file cannot be had, it is asked for so often. */
const RETRY_MS = 1_000;

/** The thread that has the file of history. */
export function keepHistory(): void {
  invariant(parentPort !== null, 'history is kept by a thread');
  const port = parentPort;
  const { path, bytesMax } = workerData as KeeperStart;
  const tell = (message: FromKeeper): void => port.postMessage(message);
  let hasOpened = false;
  const open = (): HistoryDatabase => {
    const database = openAnew(path, tell);
    hasOpened = true;
    return database;
  };
  const keeper = new HistoryKeeper({ open, bytesMax, tell });
  let timer: NodeJS.Timeout | undefined;
  const commitOnAndOn = (): void => {
    keeper.commit();
    timer = setTimeout(commitOnAndOn, hasOpened ? COMMIT_MS : RETRY_MS);
  };
  commitOnAndOn();
  port.on('message', (message: ToKeeper) => {
    if (message.type === 'rows') keeper.take(message.rows);
    else if (message.type === 'ask') {
      tell({ type: 'answer', id: message.id, outcome: keeper.answer(message.question) });
    } else {
      clearTimeout(timer);
      keeper.close();
      port.close();
    }
  });
}

/** A file that is none of ours or broken is put aside: what comes from now on is worth more. */
function openAnew(path: string | null, tell: (message: FromKeeper) => void): HistoryDatabase {
  try {
    return new HistoryDatabase(path);
  } catch (error) {
    if (path === null || isHeldByAnother(error) || !isBroken(error)) throw error;
    putAside(path);
    const why = error instanceof Error ? error.message : String(error);
    const message = `history: ${path} cannot be read (${why}): it is put aside as ${path}.broken`;
    tell({ type: 'say', level: 'warn', message });
    return new HistoryDatabase(path);
  }
}

function isBroken(error: unknown): boolean {
  return /malformed|not a database|format \d+ is not ours|corrupt/i.test(String(error));
}
