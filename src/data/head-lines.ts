import type { Head } from '../wire/http1/head.ts';

/**
 * The lines of a head for hooks: a copy, because a hook may look at them when the head is long gone.
 * Cost: a copy of the head; strings at the first look only.
 */
export class HeadLines {
  readonly #bytes: Uint8Array;
  #lines: readonly (readonly [string, string])[] | null = null;

  constructor(head: Head) {
    this.#bytes = head.bytes.slice(head.start, head.end);
  }

  /** The whole head as it came, to be parsed again. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** All lines in their order, names in lower case. */
  all(): readonly (readonly [string, string])[] {
    if (this.#lines !== null) return this.#lines;
    const { buffer, byteOffset, length } = this.#bytes;
    const text = Buffer.from(buffer, byteOffset, length).toString('latin1');
    // The parser has seen to it that each line is a name, a colon and a value.
    this.#lines = text
      .split('\r\n')
      .slice(1)
      .filter((line) => line !== '')
      .map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
      });
    return this.#lines;
  }

  /** Values of a name joined as a list (RFC 9110 §5.3), or null. */
  get(name: string, separator = ', '): string | null {
    const lower = name.toLowerCase();
    const values = this.all().filter(([line]) => line === lower);
    return values.length === 0 ? null : values.map(([, value]) => value).join(separator);
  }
}
