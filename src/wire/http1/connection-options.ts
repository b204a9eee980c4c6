import { FieldId, type Head } from './head.ts';
import { ascii, Byte, equalsFolded, tokenClass } from './tokens.ts';

/**
 * Members of all Connection fields of one message: what senders use is under ten; each is compared
 * with every field name.
 */
const MEMBERS_MAX = 64;
/** Empty list members: "a reasonable number" must be ignored (RFC 9110 §5.6.1.2). */
const EMPTY_MEMBERS_MAX = 16;

/** Bits of what `readConnection` found. */
export const ConnectionOption = {
  CLOSE: 1,
  KEEP_ALIVE: 2,
  UPGRADE: 4,
  /** Some member is no token, or there are too many. */
  INVALID: 8,
} as const;

const close = ascii('close');
const keepAlive = ascii('keep-alive');
const upgrade = ascii('upgrade');

/**
 * Reads all Connection fields (RFC 9110 §7.6.1): returns `ConnectionOption` bits and gives every
 * field that a
 * member names the id `NAMED_BY_CONNECTION`, unless we manage it: naming Host, Content-Length or
 * X-Forwarded-For
 * changes nothing of what we write ourselves.
 * Cost: only heads with a Connection field; members × fields comparisons of lengths.
 */
export function readConnection(head: Head): number {
  const usual = readUsual(head);
  if (usual !== 0) return usual;
  let options = 0;
  let members = 0;
  let empty = 0;
  for (let index = 0; index < head.fieldCount; index++) {
    if (head.ids[index] !== FieldId.CONNECTION) continue;
    let at = head.fields[index * 4 + 2]!;
    const end = head.fields[index * 4 + 3]!;
    while (at <= end) {
      const memberStart = skipBlank(head.bytes, at, end);
      let memberEnd = memberStart;
      while (memberEnd < end && tokenClass[head.bytes[memberEnd]!] !== 0) memberEnd++;
      at = skipBlank(head.bytes, memberEnd, end);
      if (at < end && head.bytes[at] !== Byte.COMMA) return options | ConnectionOption.INVALID;
      at++;
      if (memberStart === memberEnd) {
        if (++empty > EMPTY_MEMBERS_MAX) return options | ConnectionOption.INVALID;
      } else if (++members > MEMBERS_MAX) return options | ConnectionOption.INVALID;
      else options |= applyMember(head, memberStart, memberEnd);
    }
  }
  return options;
}

/** What nearly all messages say: one field with one known word. 0 when it is anything else. */
function readUsual(head: Head): number {
  if ((head.repeated & (1 << FieldId.CONNECTION)) !== 0) return 0;
  const at = head.last[FieldId.CONNECTION]! * 4;
  const start = head.fields[at + 2]!;
  const length = head.fields[at + 3]! - start;
  if (length === 10 && equalsFolded(head.bytes, start, keepAlive))
    return ConnectionOption.KEEP_ALIVE;
  return length === 5 && equalsFolded(head.bytes, start, close) ? ConnectionOption.CLOSE : 0;
}

function skipBlank(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] === Byte.SPACE || bytes[at] === Byte.HTAB)) at++;
  return at;
}

function applyMember(head: Head, start: number, end: number): number {
  const bytes = head.bytes;
  const length = end - start;
  if (length === 5 && equalsFolded(bytes, start, close)) return ConnectionOption.CLOSE;
  if (length === 10 && equalsFolded(bytes, start, keepAlive)) return ConnectionOption.KEEP_ALIVE;
  if (length === 7 && equalsFolded(bytes, start, upgrade)) return ConnectionOption.UPGRADE;
  for (let index = 0; index < head.fieldCount; index++) {
    const id = head.ids[index]!;
    const isOurs = (id !== FieldId.OTHER && id < FieldId.UNMANAGED) || id === FieldId.EXPECT;
    if (isOurs) continue;
    const nameStart = head.fields[index * 4]!;
    if (head.fields[index * 4 + 1]! - nameStart !== length) continue;
    if (!isSameName(bytes, nameStart, start, length)) continue;
    head.ids[index] = FieldId.NAMED_BY_CONNECTION;
    head.seen |= 1 << FieldId.NAMED_BY_CONNECTION;
  }
  return 0;
}

/** Names of any token characters: only letters are folded. */
function isSameName(bytes: Uint8Array, one: number, other: number, length: number): boolean {
  for (let i = 0; i < length; i++) {
    const a = bytes[one + i]!;
    const b = bytes[other + i]!;
    if (a === b) continue;
    const folded = a | 0x20;
    if (folded !== (b | 0x20) || folded < 0x61 || folded > 0x7a) return false;
  }
  return true;
}
