import { Method } from '../wire/http1/head.ts';
import { equals } from './byte-table.ts';

const encoder = new TextEncoder();
const codeByToken = new Map<string, number>(
  Object.entries(Method).filter(([name]) => name !== 'OTHER'),
);

/** Which methods a route takes. */
export class MethodFilter {
  /** One bit per known method code; -1 = all methods. */
  readonly #mask: number;
  readonly #others: readonly Uint8Array[];

  /** `methods`: upper-case tokens; empty = any. */
  constructor(methods: readonly string[]) {
    let mask = methods.length === 0 ? -1 : 0;
    const others: Uint8Array[] = [];
    for (const token of methods) {
      const code = codeByToken.get(token);
      if (code === undefined) others.push(encoder.encode(token));
      else mask |= 1 << code;
    }
    this.#mask = mask;
    this.#others = others;
  }

  /** Does it take every method? */
  get isAny(): boolean {
    return this.#mask === -1;
  }

  /** Cost: one test of a bit; tokens outside the known methods are compared as bytes. */
  takes(method: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (method !== Method.OTHER || this.#mask === -1) return (this.#mask & (1 << method)) !== 0;
    for (let at = 0; at < this.#others.length; at++) {
      if (equals(this.#others[at]!, bytes, start, end)) return true;
    }
    return false;
  }
}
