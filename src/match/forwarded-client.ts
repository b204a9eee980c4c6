import type { CidrSet } from '../base/address.ts';
import { FieldId, type Head } from '../wire/http1/head.ts';
import { textOf } from './value-text.ts';

/**
 * The client that a trusted peer names: the last address of X-Forwarded-For that is not itself
 * trusted; null where it names none. Cost: strings; only for trusted peers.
 */
export function forwardedClient(head: Head, trusted: CidrSet): string | null {
  let list = '';
  for (let i = 0; i < head.fieldCount; i++) {
    if (head.ids[i] !== FieldId.X_FORWARDED_FOR) continue;
    const text = textOf(head.bytes, head.fields[i * 4 + 2]!, head.fields[i * 4 + 3]!);
    list = list === '' ? text : `${list},${text}`;
  }
  if (list === '') return null;
  const named = list.split(',');
  let client: string | null = null;
  for (let i = named.length - 1; i >= 0; i--) {
    const address = bareAddress(named[i]!.trim());
    if (address === null) return client;
    client = address;
    if (!trusted.contains(address)) return client;
  }
  return client;
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80` without its port; null for anything else. */
function bareAddress(text: string): string | null {
  if (text.length > 64) return null;
  const bracketed = /^\[([0-9a-fA-F:.]+)\](?::\d+)?$/.exec(text);
  if (bracketed !== null) return bracketed[1]!;
  const four = /^(\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?$/.exec(text);
  if (four !== null) return four[1]!;
  return /^[0-9a-fA-F:.]+$/.test(text) && text.includes(':') ? text : null;
}
