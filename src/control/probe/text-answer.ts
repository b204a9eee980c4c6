/** The text is looked for in this many bytes. */
const textBytesMax = 65_536;
/** Longest line of an agent. */
const lineBytesMax = 1_024;

/** Looks for a text in what a server sends, in any number of pieces, in its first 64 KiB. */
export class TextSearch {
  readonly #text: Buffer;
  #tail: Buffer = Buffer.alloc(0);
  #bytes = 0;
  hasText = false;

  constructor(text: string) {
    this.#text = Buffer.from(text);
  }

  /** Will it never be found? */
  get isHopeless(): boolean {
    return !this.hasText && this.#bytes >= textBytesMax;
  }

  take(bytes: Uint8Array): void {
    const seen = Buffer.concat([this.#tail, bytes.subarray(0, textBytesMax - this.#bytes)]);
    this.#bytes += bytes.length;
    this.hasText ||= seen.includes(this.#text);
    // One byte less than the text, which may stand across two pieces.
    this.#tail = seen.subarray(Math.max(0, seen.length - this.#text.length + 1));
  }
}

/** Reads the first line of what a server sends: up to LF, NUL, the end, or 1 KiB. */
export class LineReader {
  #seen: Buffer = Buffer.alloc(0);
  /** Null until the line is whole. */
  line: string | null = null;

  take(bytes: Uint8Array): void {
    if (this.line !== null) return;
    this.#seen = Buffer.concat([this.#seen, bytes.subarray(0, lineBytesMax - this.#seen.length)]);
    const at = this.#seen.findIndex((byte) => byte === 10 || byte === 0);
    if (at >= 0) this.line = this.#seen.toString('utf8', 0, at);
    else if (this.#seen.length >= lineBytesMax) this.end();
  }

  /** The server closed: what came is the line. */
  end(): void {
    this.line ??= this.#seen.toString('utf8');
  }
}
