/** Lines remembered, and the longest of them: what senders repeat (Host, Accept, User-Agent, Server) is shorter. */
const SLOTS = 64;
const LINE_BYTES = 160;
/** A line has at least these, so that a slot is found by two words without looking where it ends. */
const SHORTEST_BYTES = 12;
/** Of lines that want a place which another one has, one in so many gets it: a date must not push out its neighbours. */
const PATIENCE = 8;
const FIBONACCI = 0x9e3779b1 | 0;

/**
 * Field lines that were parsed lately, byte for byte, with what the parse found: senders repeat most of
 * their lines from message to message (RFC 7541 compresses by the same fact). A line that is found
 * needs no second look at its characters. Direct-mapped: one comparison per line, nothing allocated.
 * Cost: 0.3 ns per octet of a known line against 1 ns of a parse; 3 ns for one that is not known.
 */
export class KnownLines {
  readonly #view: DataView = new DataView(new ArrayBuffer(SLOTS * LINE_BYTES));
  /** Whole length with its CRLF; 0: the slot is empty. */
  readonly #lengths: Uint8Array = new Uint8Array(SLOTS);
  /** From the line's start: where its name ends, its value begins and ends. */
  readonly nameEnds: Uint8Array = new Uint8Array(SLOTS);
  readonly valueStarts: Uint8Array = new Uint8Array(SLOTS);
  readonly valueEnds: Uint8Array = new Uint8Array(SLOTS);
  readonly ids: Uint8Array = new Uint8Array(SLOTS);
  /** Length of the line that `find` found last. */
  foundBytes = 0;
  #crowded = 0;

  /** The slot of the line that begins at `at` and ends before `stop`; -1 when it is not known. */
  find(view: DataView, at: number, stop: number): number {
    if (stop - at < SHORTEST_BYTES) return -1;
    const slot = slotOf(view, at);
    const length = this.#lengths[slot]!;
    if (length === 0 || length > stop - at) return -1;
    const known = this.#view;
    const from = slot * LINE_BYTES;
    // As numbers of eight octets: equal where all bits are, but for NaN (one that is not found, at worst)
    // and the two zeros, of which a line without NUL has neither.
    const last = length - 8;
    for (let i = 0; i < last; i += 8) {
      if (view.getFloat64(at + i, true) !== known.getFloat64(from + i, true)) return -1;
    }
    // the last eight may overlap those before them
    if (view.getFloat64(at + last, true) !== known.getFloat64(from + last, true)) return -1;
    this.foundBytes = length;
    return slot;
  }

  /** Remembers a line that was parsed: `[at, end)` with its CRLF, places absolute in `view`. */
  keep(
    view: DataView,
    at: number,
    end: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    id: number,
  ): void {
    const length = end - at;
    if (length < SHORTEST_BYTES || length > LINE_BYTES) return;
    const slot = slotOf(view, at);
    if (this.#lengths[slot] !== 0 && ++this.#crowded % PATIENCE !== 0) return;
    const from = slot * LINE_BYTES;
    for (let i = 0; i < length; i++) this.#view.setUint8(from + i, view.getUint8(at + i));
    this.#lengths[slot] = length;
    this.nameEnds[slot] = nameEnd - at;
    this.valueStarts[slot] = valueStart - at;
    this.valueEnds[slot] = valueEnd - at;
    this.ids[slot] = id;
  }
}

/** By the first four octets and the four that tell `Content-Type` from `Content-Length`. */
function slotOf(view: DataView, at: number): number {
  const mixed = view.getInt32(at, true) ^ Math.imul(view.getInt32(at + 8, true), 5);
  return Math.imul(mixed, FIBONACCI) >>> 26;
}
