import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';

import { explainRefusal, probeUring } from './probe.ts';

test('probeUring() says why or why not and leaves nothing open', () => {
  const before = process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
  const probe = probeUring();
  assert.match(probe.reason, probe.isUsable ? /allows io_uring/ : /./);
  if (process.platform !== 'linux') return;
  assert.equal(readdirSync('/proc/self/fd').length, before);
  assert.equal(probeUring(), probe, 'the answer is kept');
});

test('explainRefusal() has words for what containers do', () => {
  assert.match(explainRefusal(1), /forbidden.*seccomp/);
  assert.match(explainRefusal(38), /ENOSYS/);
  assert.match(explainRefusal(7), /errno 7/);
});
