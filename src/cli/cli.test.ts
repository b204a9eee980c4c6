import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FakeControl, sampleStatus } from '../control/admin/fake-control.ts';
import { startAdmin } from '../control/admin/server.ts';
import { systemClock } from '../platform/clock.ts';
import { nearest, parseArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { CommandError } from './command.ts';
import { commandLoaders, loadCommand } from './commands.ts';

const bin = fileURLToPath(new URL('../../bin/evenkeel', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the launcher with this Node and waits for its end. */
function evenkeel(args: readonly string[], cwd: string = tmpdir(), env = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], { cwd, env: { ...process.env, ...env } });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

async function inDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'evenkeel-cli-'));
  try {
    await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('help lists every command; version and schema print theirs', async () => {
  const [help, version, schema] = await Promise.all([
    evenkeel(['help']),
    evenkeel(['--version']),
    evenkeel(['schema']),
  ]);
  assert.equal(help.code, 0);
  for (const name of Object.keys(commandLoaders))
    assert.match(help.out, new RegExp(`^  ${name} `, 'm'));
  assert.match(version.out, /^evenkeel \d+\.\d+\.\d+\n$/);
  const document = JSON.parse(schema.out) as { $schema?: string };
  assert.match(document.$schema ?? '', /json-schema\.org/);
});

test('every command has a summary, an example of itself, and a place in the reference', async () => {
  const path = new URL('../../docs/reference/commands.md', import.meta.url);
  const reference = await readFile(path, 'utf8');
  for (const name of Object.keys(commandLoaders)) {
    const command = await loadCommand(name);
    assert.equal(command?.name, name);
    assert.ok((command?.summary.length ?? 0) > 10, name);
    assert.ok(
      command?.examples.some((example) => example.includes(`evenkeel ${name}`)),
      name,
    );
    assert.ok(reference.includes(`| \`evenkeel ${name}\` |`), name);
  }
});

test('wrong commands and options: one line with the nearest name, exit 1, no stack', async () => {
  const [command, option] = await Promise.all([
    evenkeel(['stauts']),
    evenkeel(['status', '--jsno']),
  ]);
  assert.deepEqual([command.code, option.code], [1, 1]);
  assert.match(command.err, /no command stauts \(did you mean status\?\)/);
  assert.match(option.err, /no option --jsno \(did you mean --json\?\)/);
  assert.doesNotMatch(command.err + option.err, /^\s+at /m);
});

test('check prints every problem with its place and exits 1; a good file exits 0', async () => {
  await inDirectory(async (directory) => {
    await writeFile(join(directory, 'evenkeel.yaml'), 'listeners: [":99999"]\npolls:\n  web: []\n');
    const bad = await evenkeel(['check'], directory);
    assert.equal(bad.code, 1);
    assert.match(bad.err, /^evenkeel\.yaml:1:\d+: listeners/m);
    assert.match(bad.err, /^evenkeel\.yaml:2:\d+: polls.*pools/m);
    const json = JSON.parse((await evenkeel(['check', '--json'], directory)).out) as {
      ok: boolean;
    };
    assert.equal(json.ok, false);
    const good = 'listeners: ["127.0.0.1:0"]\npools:\n  web: ["127.0.0.1:3001"]\n';
    await writeFile(join(directory, 'good.yaml'), good);
    const checked = await evenkeel(['check', '-c', 'good.yaml'], directory);
    assert.deepEqual([checked.code, checked.err], [0, '']);
  });
});

test('commands that need a balancer say where they looked when there is none', async () => {
  await inDirectory(async (directory) => {
    const status = await evenkeel(['status', '--socket', 'none.sock'], directory);
    assert.equal(status.code, 1);
    assert.match(status.err, /nobody listens on the admin socket .*none\.sock/);
    const run = await evenkeel(['run'], directory);
    assert.equal(run.code, 1);
    assert.match(run.err, /Cannot find a configuration/);
  });
});

test('status, drain, set, add, remove and reload speak to the balancer of the socket', async () => {
  await inDirectory(async (directory) => {
    const control = new FakeControl();
    const socketPath = join(directory, 'admin.sock');
    const admin = await startAdmin({
      control,
      clock: systemClock,
      configFile: null,
      pid: process.pid,
      supervisorPid: null,
      socketPath,
      address: null,
      token: null,
      listeners: [],
      version: '0.1.0',
      areFaultsArmed: false,
      log: () => {},
      directories: [directory],
    });
    const env = { EVENKEEL_SOCKET: socketPath };
    const ask = (...args: string[]) => evenkeel(args, directory, env);
    const status = await ask('status', '--json');
    assert.deepEqual(JSON.parse(status.out), sampleStatus);
    const results = [
      await ask('drain', 'web/10.0.0.1:3000'),
      await ask('ready', '10.0.0.1:3000'),
      await ask('set', 'web/10.0.0.1:3000', 'weight=7'),
      await ask('add', 'web/unix:/run/a.sock', '--weight', '2', '--backup'),
      await ask('remove', 'web/10.0.0.1:3000'),
    ];
    assert.deepEqual(
      results.map(({ code, err }) => [code, err]),
      results.map(() => [0, '']),
    );
    assert.deepEqual(control.calls, [
      'drain web 10.0.0.1:3000',
      'ready web 10.0.0.1:3000',
      'set web 10.0.0.1:3000 7',
      'add web {"address":"unix:/run/a.sock","weight":2,"backup":true}',
      'remove web 10.0.0.1:3000',
    ]);
    control.reloadProblems = ['a.yaml:1:1: pools: something'];
    const refused = await ask('reload');
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^a\.yaml:1:1: pools: something\n/);
    const unknown = await ask('drain', 'nothing');
    assert.match(
      unknown.err,
      /there is no server nothing; servers are:\n {2}web\/10\.0\.0\.1:3000/,
    );
    await admin.close();
  });
});

test('a command waits for a balancer that is started again, not for one that is gone', async () => {
  await inDirectory(async (directory) => {
    const socketPath = join(directory, 'admin.sock');
    const folder = join(directory, 'evenkeel');
    await mkdir(folder, { mode: 0o700 });
    const record = (supervisorPid: number | null) =>
      writeFile(
        join(folder, '01234567.json'),
        JSON.stringify({ pid: 1, supervisorPid, config: null, socket: socketPath, listeners: [] }),
      );
    const env = { XDG_RUNTIME_DIR: directory };
    await record(null);
    const gone = await evenkeel(['status', '--socket', socketPath], directory, env);
    assert.equal(gone.code, 1);
    // This process stands for the supervisor. Nothing tells when the command has looked in vain, so
    // it gets the time that it takes to start, twice.
    await record(process.pid);
    const waiting = evenkeel(['status', '--json', '--socket', socketPath], directory, env);
    await new Promise((resolve) => systemClock.after(1_000, () => resolve(null)));
    const admin = await startAdmin({
      control: new FakeControl(),
      clock: systemClock,
      configFile: null,
      pid: process.pid,
      supervisorPid: process.pid,
      socketPath,
      address: null,
      token: null,
      listeners: [],
      version: '0.1.0',
      areFaultsArmed: false,
      log: () => {},
      directories: [directory],
    });
    const { code, out, err } = await waiting;
    assert.deepEqual([code, err], [0, '']);
    assert.deepEqual(JSON.parse(out), sampleStatus);
    await admin.close();
  });
});

const sample: Command = {
  name: 'sample',
  summary: '',
  usage: 'X',
  options: {
    text: { type: 'string', short: 't', says: '' },
    many: { type: 'string', multiple: true, says: '' },
    flag: { type: 'boolean', says: '' },
  },
  positionals: [1, 1],
  examples: [],
  run: () => Promise.resolve(0),
};

test('parseArguments() reads values, repeats and positionals, and refuses what is wrong', () => {
  const parsed = parseArguments(sample, ['a', '-t', 'x', '--many=1', '--many', '2', '--flag']);
  assert.deepEqual(parsed.values, { text: 'x', many: ['1', '2'], flag: true });
  assert.deepEqual(parsed.positionals, ['a']);
  assert.equal(parseArguments(sample, ['--help']).isHelpWanted, true);
  for (const wrong of [
    [],
    ['a', 'b'],
    ['a', '--text'],
    ['a', '--text', '--flag'],
    ['a', '--flag=1'],
    ['a', '--text', '1', '--text', '2'],
    ['a', '--txet', '1'],
    ['a', '--__proto__', '1'],
  ]) {
    assert.throws(() => parseArguments(sample, wrong), CommandError, wrong.join(' '));
  }
});

test('nearest() finds one slip in short words, two in long ones, and nothing far off', () => {
  assert.equal(nearest('jsno', ['json', 'socket']), 'json');
  assert.equal(nearest('sokcte', ['json', 'socket']), 'socket');
  assert.equal(nearest('xyz', ['json', 'socket']), null);
});
