import type { FakeLink } from '../../src/data/fake-driver.ts';
import { limits } from '../../src/model/limits.ts';
import { contentOf } from './grammar.ts';
import { type StrictHead, type StrictMessage, valuesOf } from './strict-reader.ts';

/** Is it a final answer, or the 101 that ends HTTP on its link? */
export function isFinal({ startLine }: StrictHead): boolean {
  return !startLine.startsWith('HTTP/1.1 1') || startLine.startsWith('HTTP/1.1 101');
}

/** The tag in a request line. */
export function tagOf(startLine: string): string {
  return /\/t([0-9]+-[0-9]+)/.exec(startLine)?.[1] ?? '';
}

/** A queue is stopped above its mark; what comes meanwhile is a kept request and pieces already on their way. */
export function checkQueue({ queuedBytes }: FakeLink): void {
  const most = limits.queueHighBytes + limits.replayBytes + 4 * limits.bufferBytes;
  if (queuedBytes > most) throw new Error(`${queuedBytes} bytes wait in a link`);
}

/** Throws when a request to a server has not the content that its tag says. */
export function checkRequestContent(message: StrictMessage): void {
  const tag = tagOf(message.startLine);
  const [length] = valuesOf(message.fields, 'x-length');
  const whole = length === undefined ? '' : contentOf(tag, Number(length));
  const isRight = message.isWhole ? message.body === whole : whole.startsWith(message.body);
  if (!isRight) throw new Error(`wrong content in request ${tag}`);
}
