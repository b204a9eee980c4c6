import { invariant } from '../../base/invariant.ts';
import type { Libc } from '../libc.ts';
import { Posix } from './constants.ts';

const WORD = 4_294_967_296;
/** Above user space on x64 and arm64: what a failed mmap returns, or a broken length. */
const ADDRESS_END = 2 ** 48;

/**
 * A piece of memory that the kernel and JavaScript both see. The one place where an address is
 * computed: `low`/`high` turn a range within the piece into the two words of a pointer, with the
 * range asserted.
 */
export class Mapping {
  readonly address: number;
  readonly length: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly words: Uint32Array<ArrayBuffer>;
  readonly #libc: Libc;
  readonly #lowBase: number;
  readonly #highBase: number;

  /** `fd` < 0: anonymous zeroed memory, populated on touch. Errors: throws where the system refuses. */
  constructor(libc: Libc, length: number, flags: number, fd: number, fileOffset: number) {
    const address = libc.mmap(0, length, Posix.PROT_READ_WRITE, flags, fd, fileOffset);
    if (!(address > 0 && address < ADDRESS_END)) {
      throw new Error(`Cannot map ${length} bytes as the system refuses: errno ${libc.errno()}`);
    }
    const memory = libc.view(address, length);
    this.address = address;
    this.length = length;
    this.bytes = new Uint8Array(memory);
    this.words = new Uint32Array(memory, 0, length >>> 2);
    this.#libc = libc;
    this.#lowBase = address % WORD;
    this.#highBase = Math.floor(address / WORD);
  }

  static anonymous(libc: Libc, length: number): Mapping {
    return new Mapping(libc, length, Posix.MAP_PRIVATE_ANONYMOUS | Posix.MAP_NORESERVE, -1, 0);
  }

  /** The address of `[offset, offset+length)` as one number, for calls that take one. */
  at(offset: number, length: number): number {
    this.#check(offset, length);
    return this.address + offset;
  }

  /** Lower word of that address; call `high` for the other. Asserts the range. */
  low(offset: number, length: number): number {
    this.#check(offset, length);
    return (this.#lowBase + offset) >>> 0;
  }

  /** Upper word of the address of `offset`, whose range `low` has asserted. */
  high(offset: number): number {
    return this.#lowBase + offset >= WORD ? this.#highBase + 1 : this.#highBase;
  }

  /** Gives the memory back; views become empty, so that a late access reads nothing instead of faulting. */
  unmap(): void {
    const { address, length } = this;
    this.bytes.buffer.transfer();
    invariant(this.bytes.length === 0, 'views are detached before their memory goes');
    this.#libc.munmap(address, length);
  }

  #check(offset: number, length: number): void {
    invariant(
      offset >= 0 && length >= 0 && offset + length <= this.length,
      'a range handed to the kernel lies within its mapping',
    );
  }
}
