import type { FakeLink } from '../../src/data/fake-driver.ts';
import type { PlainBuffers } from '../../src/platform/plain-buffers.ts';
import type { StrictReader } from './strict-reader.ts';

/** One end of a link, played by the fuzzer: bytes on their way to us, and what came back. */
export class Peer {
  readonly link: FakeLink;
  readonly reader: StrictReader;
  /** On their way to us; null is the FIN. */
  readonly inbox: (string | null)[] = [];
  received = '';
  /** Of a client: what it asked, in order. */
  readonly asked: { readonly method: string; readonly minor: number; readonly tag: string }[] = [];
  /** Of a server: final answers that were given completely, and how many requests had begun before each byte. */
  answered = 0;
  /** The link broke: what came before may be cut anywhere. */
  hasDied = false;
  #overrun = 0;
  #readLength = -1;

  constructor(link: FakeLink, reader: StrictReader) {
    this.link = link;
    this.reader = reader;
  }

  /** Delivers what a paused link lets through: one piece that the kernel had already given. */
  pump(buffers: PlainBuffers): void {
    const { link, inbox } = this;
    while (inbox.length > 0 && link.isOpen) {
      if (!link.isPaused) this.#overrun = 0;
      else if (inbox[0] === null || this.#overrun++ > 0) return;
      if (buffers.freeCount === 0) return;
      const piece = inbox.shift() as string | null;
      if (piece === null) link.receiveEnd();
      else {
        this.received += piece;
        link.receive(piece);
      }
    }
  }

  /** Reads what is new; false when nothing is. Throws at a fault. */
  read(): boolean {
    const { link } = this;
    const hasEnded = link.isGone && !link.wasAborted && !this.hasDied;
    const length = link.text.length + (hasEnded ? 1 : 0);
    if (length === this.#readLength) return false;
    this.#readLength = length;
    this.reader.read(link.text, hasEnded);
    return true;
  }
}
