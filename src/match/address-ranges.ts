import { parseCidr } from '../base/address.ts';
import { invariant } from '../base/invariant.ts';
import { keyOf } from './client.ts';

interface Range {
  readonly from: string;
  to: string;
}

/**
 * Address ranges of any number: sorted and merged once, so that a look-up is a binary search.
 * IPv4 and IPv6 apart, each as hex digits, whose order is the order of addresses.
 */
export class AddressRanges {
  readonly #four: readonly Range[];
  readonly #six: readonly Range[];

  /** `texts`: what `parseCidr` reads. */
  constructor(texts: readonly string[]) {
    const ranges = texts.map((text) => {
      const cidr = parseCidr(text);
      invariant(cidr !== null, `an accepted configuration has valid ranges, not ${text}`);
      const last = cidr.bytes.slice();
      const first = cidr.bytes.slice();
      for (let bit = cidr.bits; bit < last.length * 8; bit++) {
        last[bit >>> 3]! |= 0x80 >>> (bit & 7);
        first[bit >>> 3]! &= ~(0x80 >>> (bit & 7));
      }
      return { from: keyOf(first), to: keyOf(last) };
    });
    this.#four = merged(ranges.filter(({ from }) => from.length === 8));
    this.#six = merged(ranges.filter(({ from }) => from.length === 32));
  }

  /** Is the address of this key (see `Client.key`) in one of them? Cost: O(log ranges). */
  has(key: string): boolean {
    if (key === '') return false;
    const ranges = key.length === 8 ? this.#four : this.#six;
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ranges[middle]!.to < key) low = middle + 1;
      else high = middle;
    }
    return low < ranges.length && ranges[low]!.from <= key;
  }
}

function merged(ranges: Range[]): readonly Range[] {
  const out: Range[] = [];
  for (const range of ranges.sort((a, b) => (a.from < b.from ? -1 : 1))) {
    const last = out.at(-1);
    if (last === undefined || last.to < range.from) out.push({ ...range });
    else if (last.to < range.to) last.to = range.to;
  }
  return out;
}
