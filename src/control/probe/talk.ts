import type { Probe } from '../../model/snapshot.ts';
import { AnswerReader } from './http-answer.ts';
import { jsonAt } from './json-path.ts';
import { LineReader, TextSearch } from './text-answer.ts';

/** What a connected probe says and what it makes of the answer. */
export interface Talk {
  /** Sent first; empty = nothing. */
  readonly opening: string;
  take(bytes: Uint8Array): void;
  /** The server closed. */
  end(): void;
  /** Null until it is known. `line`: what an agent said. */
  verdict(): { readonly isPass: boolean; readonly reason: string; readonly line?: string } | null;
}

/** The conversation of a probe; null for one that only connects. */
export function createTalk(probe: Probe, address: string): Talk | null {
  if (probe.type === 'http') return new HttpTalk(probe, address);
  if (probe.type === 'agent') return new AgentTalk(probe);
  return probe.receive === null ? sendOnly(probe) : new TextTalk(probe, probe.receive);
}

/** What is only sent waits for no answer: the connection is the proof. */
function sendOnly({ send }: Probe): Talk | null {
  if (send === null) return null;
  const verdict = { isPass: true, reason: 'connected' };
  return { opening: send, take: () => {}, end: () => {}, verdict: () => verdict };
}

class HttpTalk implements Talk {
  readonly opening: string;
  readonly #probe: Probe;
  readonly #reader: AnswerReader;

  constructor(probe: Probe, address: string) {
    this.#probe = probe;
    this.#reader = new AnswerReader(probe.bodyText, probe.bodyJson !== null);
    this.opening = requestText(probe, address);
  }

  take(bytes: Uint8Array): void {
    this.#reader.take(bytes);
  }

  end(): void {
    this.#reader.end();
  }

  verdict(): { readonly isPass: boolean; readonly reason: string } | null {
    const reader = this.#reader;
    const { expect, bodyJson } = this.#probe;
    if (reader.state === 'head') return null;
    if (reader.state === 'broken') return { isPass: false, reason: reader.why };
    const status = `status ${reader.status}`;
    const isExpected = expect.some(([low, high]) => reader.status >= low && reader.status <= high);
    if (!isExpected) return { isPass: false, reason: status };
    if (reader.state === 'body') return null;
    if (!reader.hasText) return { isPass: false, reason: `${status} without the expected text` };
    if (bodyJson === null) return { isPass: true, reason: status };
    const found = jsonAt(reader.body.toString('utf8'), bodyJson.path);
    if ('why' in found) return { isPass: false, reason: `${status}, but ${found.why}` };
    const shown = printable(found.text).slice(0, 80);
    const isPass = found.text === bodyJson.equals;
    return { isPass, reason: `${status}, ${bodyJson.path} is ${shown}` };
  }
}

class TextTalk implements Talk {
  readonly opening: string;
  readonly #search: TextSearch;
  #hasEnded = false;

  constructor(probe: Probe, text: string) {
    this.opening = probe.send ?? '';
    this.#search = new TextSearch(text);
  }

  take(bytes: Uint8Array): void {
    this.#search.take(bytes);
  }

  end(): void {
    this.#hasEnded = true;
  }

  verdict(): { readonly isPass: boolean; readonly reason: string } | null {
    if (this.#search.hasText) return { isPass: true, reason: 'the expected text came' };
    if (!this.#hasEnded && !this.#search.isHopeless) return null;
    return { isPass: false, reason: 'an answer without the expected text' };
  }
}

class AgentTalk implements Talk {
  readonly opening: string;
  readonly #reader = new LineReader();

  constructor(probe: Probe) {
    this.opening = probe.send ?? '';
  }

  take(bytes: Uint8Array): void {
    this.#reader.take(bytes);
  }

  end(): void {
    this.#reader.end();
  }

  verdict(): { readonly isPass: boolean; readonly reason: string; readonly line: string } | null {
    const { line } = this.#reader;
    return line === null ? null : { isPass: true, reason: 'the agent answered', line };
  }
}

function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

function requestText({ method, path, host, headers }: Probe, address: string): string {
  const name = host ?? (address.startsWith('unix:') ? 'localhost' : address);
  const fields: Record<string, string> = {
    Host: name,
    'User-Agent': 'evenkeel-probe',
    Accept: '*/*',
    Connection: 'close',
  };
  if (method === 'POST') fields['Content-Length'] = '0';
  const lines = Object.entries(fields).filter(([field]) => !isAmong(headers, field));
  const own = Object.entries(headers);
  return [
    `${method} ${path} HTTP/1.1`,
    ...[...lines, ...own].map(([field, value]) => `${field}: ${value}`),
    '',
    '',
  ].join('\r\n');
}

function isAmong(headers: Probe['headers'], name: string): boolean {
  return Object.keys(headers).some((header) => header.toLowerCase() === name.toLowerCase());
}
