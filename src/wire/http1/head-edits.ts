import type { Head } from './head.ts';
import { ascii, Byte } from './tokens.ts';
import { copyBytes, putBytes, putLineEnd } from './write-bytes.ts';

/** What the configuration changes of the lines of one head. One object per message. */
export interface HeadEdits {
  /** Names whose lines are left out, as `foldedName` gives them. */
  readonly drops: readonly Uint8Array[];
  /** Whole lines with their ends, put behind those that stay. Nobody checks them again. */
  readonly lines: Uint8Array;
  /** Host field for the server; null = as received. Requests only. */
  readonly host: Uint8Array | null;
}

/**
 * A field name to compare with: lower case, `-` for `_` and `.`, which gateways to CGI and its heirs
 * take for the same.
 */
export function foldedName(name: string): Uint8Array {
  return ascii(name.toLowerCase().replace(/[_.]/g, '-'));
}

/**
 * Copies the lines that are neither of a `FieldId` in `dropped` nor named by `edits`, one by one, then
 * those of `edits`. White space before colons is not passed on. Returns the end, at most
 * `2 * head.fieldCount + edits.lines.length` bytes more than the lines had.
 * Cost: fields × names, no allocation.
 */
export function copyEditedLines(
  out: Uint8Array,
  at: number,
  head: Head,
  dropped: number,
  edits: HeadEdits,
): number {
  const { bytes, fields, ids } = head;
  let to = at;
  for (let index = 0; index < head.fieldCount; index++) {
    if (((dropped >>> ids[index]!) & 1) !== 0) continue;
    const start = fields[index * 4]!;
    const end = fields[index * 4 + 1]!;
    if (isNamed(bytes, start, end, edits.drops)) continue;
    to = copyBytes(out, to, bytes, start, end);
    out[to++] = Byte.COLON;
    out[to++] = Byte.SPACE;
    to = copyBytes(out, to, bytes, fields[index * 4 + 2]!, fields[index * 4 + 3]!);
    to = putLineEnd(out, to);
  }
  return putBytes(out, to, edits.lines);
}

/** Whether `edits` leave a field of this name out. */
export function isDropped(name: string, edits: HeadEdits): boolean {
  const bytes = ascii(name);
  return isNamed(bytes, 0, bytes.length, edits.drops);
}

function isNamed(
  bytes: Uint8Array,
  start: number,
  end: number,
  names: readonly Uint8Array[],
): boolean {
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    if (name.length === end - start && isFolded(bytes, start, name)) return true;
  }
  return false;
}

function isFolded(bytes: Uint8Array, start: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) {
    let byte = bytes[start + i]!;
    if (byte === 0x5f || byte === Byte.DOT) byte = 0x2d;
    else if (byte >= 0x41 && byte <= 0x5a) byte += 0x20;
    if (byte !== name[i]) return false;
  }
  return true;
}
