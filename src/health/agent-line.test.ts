import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentVerdict, parseAgentLine } from './agent-line.ts';

const nothing = { factor: null, order: null, state: null, why: '' };

test('parseAgentLine() reads the words of HAProxy’s agents', () => {
  const lines: [string, ReturnType<typeof parseAgentLine>][] = [
    ['75%', { ...nothing, factor: 0.75 }],
    ['up', { ...nothing, state: 'up' }],
    ['READY, 50%\r', { ...nothing, order: 'ready', factor: 0.5 }],
    ['down #disk full', { ...nothing, state: 'down', why: 'disk full' }],
    ['stopped#x', { ...nothing, state: 'stopped', why: 'x' }],
    ['drain\tup', { ...nothing, order: 'drain', state: 'up' }],
    ['maint maxconn:30', { ...nothing, order: 'maint' }],
    ['250%', { ...nothing, factor: 1 }],
    ['', null],
    ['# only words', null],
    ['hello 75 percent', null],
    ['fail%', null],
  ];
  for (const [line, read] of lines) assert.deepEqual(parseAgentLine(line), read, line);
});

test('parseAgentLine() keeps what it shows short and free of control characters', () => {
  const line = parseAgentLine(`down #${'x'.repeat(500)}\u001b[31m`);
  assert.equal(line?.why.length, 200);
  assert.equal(parseAgentLine('up #a\u001b[31mb')?.why, 'a [31mb');
});

test('AgentVerdict keeps each kind of word until another one of its kind is said', () => {
  const verdict = new AgentVerdict();
  const say = (line: string): string => {
    verdict.take(parseAgentLine(line)!);
    return `${verdict.isUp} ${verdict.isDraining} ${verdict.factor} ${verdict.reason}`;
  };
  assert.equal(say('75%'), 'true false 0.75 agent says up 75%');
  assert.equal(say('down #disk full'), 'false false 0.75 agent says down 75%: disk full');
  assert.equal(say('drain'), 'false true 0.75 agent says down drain 75%');
  assert.equal(say('up 100%'), 'true true 1 agent says up drain');
  assert.equal(say('maint'), 'false false 1 agent says up maint');
  assert.equal(say('ready'), 'true false 1 agent says up');
});
