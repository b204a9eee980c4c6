import type { RunningTimer } from '../../platform/clock.ts';
import type { FileDiscovery } from '../config/discovery.ts';
import { readServerList } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { StartSource } from './source.ts';

/** How often the file is looked at: one `stat` costs nothing and sees renames, links and network file systems. */
const LOOK_MS = 500;
/** A changed file must look the same twice, so long apart, before it is believed to be written to its end. */
const SETTLE_MS = 100;
/** Ten thousand servers with their labels fit. */
const BYTES_MAX = 4_194_304;

/** A watched file with a list of servers. A file that is gone or faulty is a failure: its last list stays. */
export const startFile: StartSource<FileDiscovery> = (
  source,
  { clock, fileMark, readFile },
  sink,
) => {
  const { path } = source;
  let timer: RunningTimer | null = null;
  let isStopped = false;
  let taken: string | null = null;
  let settling: string | null = null;
  const read = async (): Promise<void> => {
    const file = await readFile(path, BYTES_MAX);
    if (isStopped) return;
    if (!file.ok) {
      // What hinders the reading (rights, say) may change without changing the file.
      taken = '';
      return sink.failed(file.found);
    }
    const list = readServerList(path, new TextDecoder().decode(file.bytes));
    if (list.ok) return sink.found(list.servers);
    const [first] = list.problems;
    const more = list.problems.length > 1 ? ` and ${list.problems.length - 1} more` : '';
    sink.failed(`${first === undefined ? 'it is no list' : formatProblem(first)}${more}`);
  };
  const look = async (): Promise<void> => {
    const mark = await fileMark(path);
    if (isStopped) return;
    let isSettled = true;
    if (mark === null) {
      // Replaced in two steps, it is away for a moment; its return is news whatever it looks like.
      if (taken !== '') sink.failed('found no such file');
      taken = '';
      settling = null;
    } else if (mark !== taken) {
      isSettled = mark === settling || taken === null;
      settling = mark;
      if (isSettled) {
        taken = mark;
        await read();
      }
    }
    if (!isStopped) timer = clock.after(isSettled ? LOOK_MS : SETTLE_MS, () => void look());
  };
  void look();
  return {
    stop: () => {
      isStopped = true;
      timer?.stop();
    },
  };
};
