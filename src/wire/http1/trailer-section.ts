import { limits } from '../../model/limits.ts';
import { Byte, tokenClass } from './tokens.ts';

const State = { LINE_START: 0, NAME: 1, VALUE: 2, VALUE_LF: 3, LAST_LF: 4, COMPLETE: 5 } as const;

/**
 * Checks a trailer section octet by octet up to its empty line and forgets it: no trailer field is
 * merged into a head
 * or passed on (RFC 9112 §7.1.2 allows to discard them). The lines must be field lines all the
 * same.
 */
export class TrailerSection {
  #state: number = State.LINE_START;
  #bytes = 0;
  #fields = 0;

  reset(): void {
    this.#state = State.LINE_START;
    this.#bytes = 0;
    this.#fields = 0;
  }

  /** The empty line has been taken. */
  get isComplete(): boolean {
    return this.#state === State.COMPLETE;
  }

  /** Takes one octet; false when it is not valid here or a limit is reached. */
  take(c: number): boolean {
    if (++this.#bytes > limits.trailerBytes) return false;
    switch (this.#state) {
      case State.LINE_START:
        if (c === Byte.CR) this.#state = State.LAST_LF;
        else if (tokenClass[c] !== 0 && this.#fields < limits.headFields) {
          this.#fields++;
          this.#state = State.NAME;
        } else return false;
        return true;
      case State.NAME:
        if (c === Byte.COLON) this.#state = State.VALUE;
        else if (tokenClass[c] === 0) return false;
        return true;
      case State.VALUE:
        if (c === Byte.CR) this.#state = State.VALUE_LF;
        else if (c >= 0x20 ? c === Byte.DELETE : c !== Byte.HTAB) return false;
        return true;
      case State.VALUE_LF:
        this.#state = State.LINE_START;
        return c === Byte.LF;
      default:
        this.#state = State.COMPLETE;
        return c === Byte.LF;
    }
  }
}
