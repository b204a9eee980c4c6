import { isFieldFree } from '../wire/http1/free-field.ts';
import { foldedName, type HeadEdits } from '../wire/http1/head-edits.ts';
import { ascii } from '../wire/http1/tokens.ts';

/** Bytes of lines that hooks may add to one head: what the scratch room for heads has besides. */
const LINES_BYTES_MAX = 8_192;
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
/** Octets of a field value: no controls but HTAB (RFC 9110 §5.5). */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Checks a field that a hook writes. Errors: throws `TypeError` for what no head can carry and for fields
 * that frame, forward or belong to one link.
 */
export function checkField(name: string, value: string, isRequest: boolean): void {
  if (typeof name !== 'string' || !TOKEN.test(name)) {
    throw new TypeError(`Cannot write a header as a name is required: current value is ${name}`);
  }
  if (typeof value !== 'string' || !VALUE.test(value)) {
    const required = 'a text of octets without control characters';
    throw new TypeError(`Cannot write the header ${name} as its value must be ${required}`);
  }
  if (isFieldFree(name, { isRequest, isSet: true })) return;
  throw new TypeError(
    `Cannot write the header ${name} as it frames, forwards or belongs to a link`,
  );
}

/** Changes that hooks make to the lines of one head. */
export class HookEdits {
  readonly #isRequest: boolean;
  readonly #drops: Uint8Array[] = [];
  #lines: { readonly name: string; readonly text: string }[] = [];
  #bytes = 0;

  constructor(isRequest: boolean) {
    this.#isRequest = isRequest;
  }

  set(name: string, value: string): void {
    checkField(name, value, this.#isRequest);
    this.remove(name);
    this.#put(name, value);
  }

  add(name: string, value: string): void {
    checkField(name, value, this.#isRequest);
    this.#put(name, value);
  }

  remove(name: string): void {
    if (typeof name !== 'string' || !TOKEN.test(name)) {
      throw new TypeError(`Cannot remove a header as a name is required: current value is ${name}`);
    }
    if (!isFieldFree(name, { isRequest: this.#isRequest, isSet: false })) {
      const isReplaced = isFieldFree(name, { isRequest: this.#isRequest, isSet: true });
      if (isReplaced) return;
      throw new TypeError(
        `Cannot remove the header ${name} as it frames, forwards or belongs to a link`,
      );
    }
    const lower = name.toLowerCase();
    this.#lines = this.#lines.filter((line) => line.name !== lower);
    this.#drops.push(foldedName(name));
  }

  /** These changes on top of a route's. The same object when there are none. */
  over(base: HeadEdits | null): HeadEdits | null {
    if (this.#drops.length === 0 && this.#lines.length === 0) return base;
    const own = ascii(this.#lines.map(({ text }) => text).join(''));
    if (base === null) return { drops: this.#drops, lines: own, host: null };
    const lines = new Uint8Array(base.lines.length + own.length);
    lines.set(base.lines);
    lines.set(own, base.lines.length);
    return { drops: [...base.drops, ...this.#drops], lines, host: base.host };
  }

  #put(name: string, value: string): void {
    const text = `${name}: ${value.trim()}\r\n`;
    this.#bytes += text.length;
    if (this.#bytes > LINES_BYTES_MAX) {
      throw new TypeError(
        `Cannot write the header ${name} as at most ${LINES_BYTES_MAX} bytes fit`,
      );
    }
    this.#lines.push({ name: name.toLowerCase(), text });
  }
}
