import { emitKeypressEvents } from 'node:readline';
import { type AdminClient, connectClient } from '../client.ts';
import type { Command, Invocation } from '../command.ts';
import { CommandError, instanceOptions, textOf } from '../command.ts';
import { drawTop } from '../top/draw.ts';
import { type Sorting, sortings } from '../top/rows.ts';
import { TopScreen } from '../top/screen.ts';

const enterScreen = '\u001b[?1049h\u001b[?25l';
const leaveScreen = '\u001b[?25h\u001b[?1049l';
const framesMax = 1_000_000;
/** How often a balancer that is away is looked for, a tenth of a second apart, or its restart apart. */
const triesMax = 50;

/** `evenkeel top`. */
export const top: Command = {
  name: 'top',
  summary:
    'Shows pools and servers live: state, load, rate, errors, latency, the last minute. Keys sort, filter, drain and take back.',
  usage: '',
  options: {
    ...instanceOptions,
    sort: { type: 'string', value: 'BY', says: `one of ${sortings.join(', ')}` },
    filter: { type: 'string', value: 'TEXT', says: 'only servers whose line holds it' },
    count: {
      type: 'string',
      value: 'N',
      says: 'print so many frames as plain text; default 1 where there is no terminal',
    },
  },
  positionals: [0, 0],
  examples: ['evenkeel top', 'evenkeel top --sort rate', 'evenkeel top --count 5 > frames.txt'],
  run: async (invocation) => {
    const screen = new TopScreen();
    screen.sorting = sortingOf(textOf(invocation.values, 'sort') ?? 'server');
    screen.filter = textOf(invocation.values, 'filter') ?? '';
    const count = countOf(textOf(invocation.values, 'count'));
    const client = await connectClient(invocation);
    const isTerminal = invocation.columns !== null && process.stdin.isTTY;
    if (count === null && isTerminal) await runInTerminal(client, screen, invocation);
    else await printFrames(client, screen, invocation, count ?? 1);
    return 0;
  },
};

function sortingOf(text: string): Sorting {
  const found = sortings.find((sorting) => sorting === text);
  if (found !== undefined) return found;
  throw new CommandError(
    `Cannot use --sort as one of ${sortings.join(', ')} is required: current value is ${text}`,
  );
}

function countOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= framesMax) return count;
  throw new CommandError(
    `Cannot use --count as a number from 1 is required: current value is ${text}`,
  );
}

/** A frame a second as plain text. The first tick is not printed: it has nothing to compare with. */
async function printFrames(
  client: AdminClient,
  screen: TopScreen,
  { out }: Invocation,
  count: number,
): Promise<void> {
  const stopped = new AbortController();
  let left = count;
  await client.follow('/v1/live', stopped.signal, (event, json) => {
    screen.on(event, json);
    if (event !== 'tick' || screen.tick?.spanMs === 0 || left === 0) return;
    out(`${drawTop(screen, null).join('\n')}\n\n`);
    left--;
    if (left === 0) stopped.abort();
  });
  if (left > 0) throw new CommandError('The balancer ended the stream');
}

async function runInTerminal(
  client: AdminClient,
  screen: TopScreen,
  { out }: Invocation,
): Promise<void> {
  const { stdin, stdout } = process;
  const stopped = new AbortController();
  const draw = (): void => {
    const lines = drawTop(screen, { columns: stdout.columns, rows: stdout.rows });
    // Each line is cleared behind its text: no flicker, and nothing is left of the frame before.
    out(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
  };
  const onKey = (text: string | undefined, key: { name?: string; ctrl?: boolean }): void => {
    const outcome =
      key.ctrl === true && key.name === 'c' ? 'quit' : screen.onKey(key.name ?? '', text ?? '');
    if (outcome === 'quit') {
      stopped.abort();
      return;
    }
    draw();
    if (outcome === null) return;
    const { op, ...server } = outcome;
    client.change('POST', '/v1/transactions', { changes: [{ op, ...server }] }).then(
      () => {
        screen.notice = `${op}: done`;
        draw();
      },
      (error: unknown) => {
        screen.notice = error instanceof Error ? error.message : String(error);
        draw();
      },
    );
  };
  emitKeypressEvents(stdin);
  stdin.setRawMode(true);
  stdin.on('keypress', onKey);
  stdin.resume();
  stdout.on('resize', draw);
  out(enterScreen);
  try {
    draw();
    await followOn(client, screen, stopped.signal, draw);
  } finally {
    out(leaveScreen);
    stdin.setRawMode(false);
    stdin.off('keypress', onKey);
    stdin.pause();
    stdout.off('resize', draw);
  }
}

/** Goes on with the next balancer after an upgrade or a crash: it is there in a moment, on the same socket. */
async function followOn(
  client: AdminClient,
  screen: TopScreen,
  signal: AbortSignal,
  draw: () => void,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      await client.follow('/v1/live', signal, (event, json) => {
        if (failures > 0) screen.notice = '';
        failures = 0;
        screen.on(event, json);
        draw();
      });
    } catch (error) {
      if (!(error instanceof CommandError) || failures >= triesMax) throw error;
    }
    if (signal.aborted) return;
    screen.notice = 'the balancer is away';
    draw();
    await client.whenBack();
  }
}
