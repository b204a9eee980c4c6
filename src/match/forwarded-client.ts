import { type CidrSet, parseAddress } from '../base/address.ts';
import { FieldId, type Head } from '../wire/http1/head.ts';
import { textOf } from './value-text.ts';

/**
 * The client that a trusted peer names: the last address of X-Forwarded-For that is not itself
 * trusted, where there is no such field that of Forwarded; null where none is named. IPv4 mapped into IPv6,
 * as dual-stack peers write it, is given as IPv4. Cost: strings; only for trusted peers.
 */
export function forwardedClient(head: Head, trusted: CidrSet): string | null {
  const list = linesOf(head, FieldId.X_FORWARDED_FOR);
  const named = list !== '' ? list.split(',') : forwardedNodes(linesOf(head, FieldId.FORWARDED));
  let client: string | null = null;
  for (let i = named.length - 1; i >= 0; i--) {
    const address = bareAddress(named[i]!.trim());
    if (address === null) return client;
    client = address;
    if (!trusted.contains(address)) return client;
  }
  return client;
}

function linesOf(head: Head, id: number): string {
  let list = '';
  if (((head.seen >>> id) & 1) === 0) return list;
  for (let i = 0; i < head.fieldCount; i++) {
    if (head.ids[i] !== id) continue;
    const text = textOf(head.bytes, head.fields[i * 4 + 2]!, head.fields[i * 4 + 3]!);
    list = list === '' ? text : `${list},${text}`;
  }
  return list;
}

/** One element of Forwarded (RFC 7239 §4): pairs between semicolons; a quoted value may have either separator in it. */
const ELEMENT = /(?:[^",]|"(?:[^"\\]|\\.)*")+/g;
const FOR = /(?:^|;)[ \t]*for[ \t]*=[ \t]*(?:"([^"\\]*)"|([^";,\s]+))[ \t]*(?:;|$)/i;

/** What each element names as `for`; '' where it names nothing that we can read, which ends the belief. */
function forwardedNodes(text: string): string[] {
  if (text === '') return [];
  return (text.match(ELEMENT) ?? []).map((element) => {
    const found = FOR.exec(element.trim());
    return found === null ? '' : (found[1] ?? found[2] ?? '');
  });
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1` or `[2001:db8::1]:80` without its port; null for anything else. */
function bareAddress(text: string): string | null {
  if (text.length > 64) return null;
  const bracketed = /^\[([0-9a-fA-F:.]+)\](?::\d+)?$/.exec(text);
  const four = /^(\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?$/.exec(text);
  const bare = bracketed?.[1] ?? four?.[1] ?? text;
  if (bare.includes('%')) return null;
  const bytes = parseAddress(bare);
  if (bytes === null) return null;
  return bytes.length === 4 ? bytes.join('.') : bare;
}
