import { Byte, tokenClass } from './tokens.ts';

const State = {
  NONE: 0,
  /** White space behind the size or a value: only `;` may follow. */
  BEFORE_SEMICOLON: 1,
  BEFORE_NAME: 2,
  NAME: 3,
  AFTER_NAME: 4,
  BEFORE_VALUE: 5,
  TOKEN: 6,
  QUOTED: 7,
  ESCAPED: 8,
  AFTER_QUOTED: 9,
} as const;

/**
 * Checks the extensions of one chunk-size line octet by octet (RFC 9112 §7.1.1):
 * `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`. They are understood only so
 * far that they
 * cannot hide a line end (CVE-2025-55315); nothing of them is kept.
 */
export class ChunkExtension {
  #state: number = State.NONE;

  reset(): void {
    this.#state = State.NONE;
  }

  /** No octet has been taken since `reset`. */
  get isUntouched(): boolean {
    return this.#state === State.NONE;
  }

  /** May the line end here? */
  get mayEnd(): boolean {
    const state = this.#state;
    return (
      state === State.NONE ||
      state === State.NAME ||
      state === State.TOKEN ||
      state === State.AFTER_QUOTED
    );
  }

  /**
   * Takes one octet; false when it is not valid here. CR is never valid: the caller handles the
   * line's end.
   */
  take(c: number): boolean {
    const next = this.#after(c);
    if (next < 0) return false;
    this.#state = next;
    return true;
  }

  #after(c: number): number {
    const isBlank = c === Byte.SPACE || c === Byte.HTAB;
    switch (this.#state) {
      case State.NONE:
      case State.BEFORE_SEMICOLON:
      case State.AFTER_QUOTED:
        if (isBlank) return State.BEFORE_SEMICOLON;
        return c === Byte.SEMICOLON ? State.BEFORE_NAME : -1;
      case State.BEFORE_NAME:
        if (isBlank) return State.BEFORE_NAME;
        return tokenClass[c] !== 0 ? State.NAME : -1;
      case State.NAME:
        if (tokenClass[c] !== 0) return State.NAME;
        return this.#afterName(c, isBlank);
      case State.AFTER_NAME:
        return this.#afterName(c, isBlank);
      case State.BEFORE_VALUE:
        if (isBlank) return State.BEFORE_VALUE;
        if (c === Byte.QUOTE) return State.QUOTED;
        return tokenClass[c] !== 0 ? State.TOKEN : -1;
      case State.TOKEN:
        if (tokenClass[c] !== 0) return State.TOKEN;
        if (isBlank) return State.BEFORE_SEMICOLON;
        return c === Byte.SEMICOLON ? State.BEFORE_NAME : -1;
      case State.QUOTED:
        if (c === Byte.QUOTE) return State.AFTER_QUOTED;
        if (c === Byte.BACKSLASH) return State.ESCAPED;
        return isText(c) ? State.QUOTED : -1;
      default:
        return isText(c) ? State.QUOTED : -1;
    }
  }

  #afterName(c: number, isBlank: boolean): number {
    if (isBlank) return State.AFTER_NAME;
    if (c === Byte.EQUALS) return State.BEFORE_VALUE;
    return c === Byte.SEMICOLON ? State.BEFORE_NAME : -1;
  }
}

function isText(c: number): boolean {
  return c >= 0x20 ? c !== Byte.DELETE : c === Byte.HTAB;
}
