import assert from 'node:assert/strict';
import { mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { limits } from '../../model/limits.ts';
import type { AppendFile, OpenedAppendFile } from '../../platform/append-file.ts';
import { openAppendFile } from '../../platform/append-file.ts';
import { ManualClock } from '../probe/manual-clock.ts';
import { AccessLogWriter } from './access-log.ts';

/** A file whose answers the test gives. */
class FakeFile implements AppendFile {
  text = '';
  isClosed = false;
  pending: { bytes: Uint8Array; done: (errorCode: string | null, written: number) => void }[] = [];

  write(bytes: Uint8Array, done: (errorCode: string | null, written: number) => void): void {
    this.pending.push({ bytes, done });
  }

  answer(errorCode: string | null, written?: number): void {
    const next = this.pending.shift();
    assert.ok(next, 'a write is pending');
    const count = errorCode === null ? (written ?? next.bytes.length) : 0;
    this.text += Buffer.from(next.bytes.subarray(0, count)).toString();
    next.done(errorCode, count);
  }

  isReplaced(done: (isReplaced: boolean) => void): void {
    done(false);
  }

  close(): void {
    this.isClosed = true;
  }
}

function fakeWriter(): {
  writer: AccessLogWriter;
  files: FakeFile[];
  clock: ManualClock;
  reports: string[];
  openErrors: string[];
} {
  const clock = new ManualClock();
  const files: FakeFile[] = [];
  const reports: string[] = [];
  const openErrors: string[] = [];
  const open = (_target: unknown, done: OpenedAppendFile): void => {
    const error = openErrors.shift();
    if (error !== undefined) {
      done(error, null);
      return;
    }
    const file = new FakeFile();
    files.push(file);
    done(null, file);
  };
  const report = (message: string): void => void reports.push(message);
  const writer = new AccessLogWriter({ path: 'access.log' }, { clock, open, report });
  return { writer, files, clock, reports, openErrors };
}

test('write() goes on after a partial write and joins what waited meanwhile', () => {
  const { writer, files } = fakeWriter();
  writer.write('first\n', 1);
  writer.write('second\n', 1);
  writer.write('third\n', 1);
  const file = files[0];
  assert.ok(file);
  file.answer(null, 2);
  file.answer(null);
  assert.equal(file.text, 'first\n');
  file.answer(null);
  assert.equal(file.text, 'first\nsecond\nthird\n');
  assert.equal(writer.state.queuedBytes, 0);
});

test('write() drops and counts whole batches above the queue limit, and never loses the count', () => {
  const { writer, files } = fakeWriter();
  const half = `${'x'.repeat(limits.accessLogQueueBytes / 2 - 1)}\n`;
  writer.write(half, 10);
  writer.write(half, 10);
  writer.write('over\n', 1);
  assert.equal(writer.state.droppedLines, 1);
  files[0]?.answer(null);
  writer.write('fits\n', 1);
  assert.equal(writer.state.droppedLines, 1);
});

test('a full pipe is tried again, a full disk reported once, and both end', () => {
  const { writer, files, clock, reports } = fakeWriter();
  writer.write('line\n', 1);
  const file = files[0];
  assert.ok(file);
  file.answer('EAGAIN');
  assert.equal(file.pending.length, 0);
  clock.advance(20);
  file.answer('ENOSPC');
  assert.equal(writer.state.error, 'ENOSPC');
  clock.advance(1_000);
  file.answer('ENOSPC');
  clock.advance(1_000);
  file.answer(null);
  assert.equal(file.text, 'line\n');
  assert.equal(reports.length, 2);
  assert.match(reports[0] ?? '', /ENOSPC/);
  assert.match(reports[1] ?? '', /writing again/);
});

test('reopen() keeps the old file until the new one is open, and tears no line', async () => {
  const { writer, files, openErrors } = fakeWriter();
  writer.write('one\n', 1);
  openErrors.push('EACCES');
  const failed = writer.reopen();
  files[0]?.answer(null, 2);
  files[0]?.answer(null);
  await failed;
  assert.equal(files.length, 1);
  assert.equal(files[0]?.isClosed, false);
  await writer.reopen();
  writer.write('two\n', 1);
  files[1]?.answer(null);
  assert.equal(files[0]?.text, 'one\n');
  assert.equal(files[0]?.isClosed, true);
  assert.equal(files[1]?.text, 'two\n');
});

test('a file that cannot be opened at first is opened later, with the lines that waited', () => {
  const clock = new ManualClock();
  const file = new FakeFile();
  let attempts = 0;
  const writer = new AccessLogWriter(
    { path: 'missing/access.log' },
    {
      clock,
      report: () => {},
      open: (_target, done) => {
        attempts++;
        if (attempts === 1) done('ENOENT', null);
        else done(null, file);
      },
    },
  );
  writer.write('kept\n', 1);
  assert.equal(writer.state.error, 'ENOENT');
  clock.advance(1_000);
  file.answer(null);
  assert.equal(file.text, 'kept\n');
  assert.equal(writer.state.error, null);
});

test('close() gives up after two seconds of a stuck pipe', async () => {
  const { writer, files, clock } = fakeWriter();
  writer.write('stuck\n', 1);
  const closed = writer.close();
  clock.advance(2_000);
  await closed;
  assert.equal(files[0]?.text, '');
});

test('a renamed file is opened anew at the next check, and reopen() works on real files', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'evenkeel-log-'));
  try {
    const path = join(directory, 'access.log');
    const clock = new ManualClock();
    const writer = new AccessLogWriter(
      { path },
      { clock, open: openAppendFile, report: assert.fail },
    );
    writer.write('before\n', 1);
    await writer.reopen();
    await rename(path, `${path}.1`);
    clock.advance(1_000);
    // The check answers from the thread pool: wait for the path to be there again.
    for (let i = 0; i < 1_000 && !(await exists(path)); i++) await new Promise(setImmediate);
    writer.write('after\n', 1);
    const closed = writer.close();
    await closed;
    assert.equal(await readFile(`${path}.1`, 'utf8'), 'before\n');
    assert.equal(await readFile(path, 'utf8'), 'after\n');
    assert.equal((await stat(path)).mode & 0o007, 0);
  } finally {
    await rm(directory, { recursive: true });
  }
});

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
