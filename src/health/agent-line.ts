/** What one line of an agent says. Null = it says nothing of it. */
export interface AgentLine {
  /** 0–1: the part of its weight that the server wants. */
  readonly factor: number | null;
  /** What its operator wants: `ready` takes back the other two. */
  readonly order: 'ready' | 'drain' | 'maint' | null;
  /** What the server can do. */
  readonly state: 'up' | 'down' | 'failed' | 'stopped' | null;
  /** What stood behind `#`; empty when nothing did. */
  readonly why: string;
}

const whyLettersMax = 200;

/**
 * Reads a line of HAProxy's agent protocol: `75%`, `up`, `ready 50%`, `down #disk full`. Words are
 * parted by blanks or commas, in any case; the last one of a kind counts; words that we do not know
 * (`maxconn:10`) say nothing. Null for a line in which no word is known. Source: HAProxy's configuration manual, "agent-check".
 */
export function parseAgentLine(line: string): AgentLine | null {
  const hash = line.indexOf('#');
  const said = hash < 0 ? line : line.slice(0, hash);
  const why =
    hash < 0
      ? ''
      : printable(line.slice(hash + 1))
          .trim()
          .slice(0, whyLettersMax);
  let factor: number | null = null;
  let order: AgentLine['order'] = null;
  let state: AgentLine['state'] = null;
  for (const word of said.toLowerCase().split(/[\s,]+/)) {
    if (/^[0-9]{1,6}%$/.test(word)) factor = Math.min(1, Number.parseInt(word, 10) / 100);
    else if (word === 'ready' || word === 'drain' || word === 'maint') order = word;
    else if (word === 'up' || word === 'down' || word === 'failed' || word === 'stopped')
      state = word;
  }
  return factor === null && order === null && state === null ? null : { factor, order, state, why };
}

function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

/** What the lines of an agent add up to: each kind of word stands until it says another one. */
export class AgentVerdict {
  #order: 'ready' | 'drain' | 'maint' = 'ready';
  #state: 'up' | 'down' | 'failed' | 'stopped' = 'up';
  #why = '';
  /** 0–1: the part of its weight that the server gets. */
  factor = 1;

  take(line: AgentLine): void {
    if (line.order !== null) this.#order = line.order;
    if (line.state !== null) this.#state = line.state;
    if (line.factor !== null) this.factor = line.factor;
    this.#why = line.why;
  }

  /** Does it take any traffic? */
  get isUp(): boolean {
    return this.#state === 'up' && this.#order !== 'maint';
  }

  /** Does it want no new traffic? */
  get isDraining(): boolean {
    return this.#order === 'drain';
  }

  /** Has its operator taken it out of all traffic? */
  get isInMaintenance(): boolean {
    return this.#order === 'maint';
  }

  /** The words in force. */
  get reason(): string {
    const words = [
      this.#state,
      ...(this.#order === 'ready' ? [] : [this.#order]),
      ...(this.factor === 1 ? [] : [`${Math.round(this.factor * 100)}%`]),
    ];
    return `agent says ${words.join(' ')}${this.#why === '' ? '' : `: ${this.#why}`}`;
  }
}
