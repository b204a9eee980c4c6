import { escapedBytes, putOctets, putText } from './json-bytes.ts';

/** Bytes that one octet may take in a line of either kind. */
export const escapedBytesMax: number = escapedBytes;

const HEX: Uint8Array = new TextEncoder().encode('0123456789abcdef');

/** Writes octets for the inside of a JSON string or for a line of text, where `"`, `\` and what is no printable ASCII is `\xHH`. */
export function putEscapedOctets(
  out: Uint8Array,
  at: number,
  from: Uint8Array,
  start: number,
  end: number,
  isJson: boolean,
): number {
  if (isJson) return putOctets(out, at, from, start, end);
  let to = at;
  for (let i = start; i < end; i++) to = putTextOctet(out, to, from[i]!);
  return to;
}

/** The same for text of ours. */
export function putEscapedText(out: Uint8Array, at: number, text: string, isJson: boolean): number {
  if (isJson) return putText(out, at, text);
  let to = at;
  for (let i = 0; i < text.length; i++) to = putTextOctet(out, to, text.charCodeAt(i) & 0xff);
  return to;
}

function putTextOctet(out: Uint8Array, at: number, octet: number): number {
  if (octet >= 0x20 && octet < 0x7f && octet !== 0x22 && octet !== 0x5c) {
    out[at] = octet;
    return at + 1;
  }
  out[at] = 0x5c;
  out[at + 1] = 0x78;
  out[at + 2] = HEX[octet >>> 4]!;
  out[at + 3] = HEX[octet & 15]!;
  return at + 4;
}
