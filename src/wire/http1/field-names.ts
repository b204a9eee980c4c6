import { FieldId } from './head.ts';
import { ascii, equalsFolded } from './tokens.ts';

const known: readonly (readonly [name: string, id: number])[] = [
  ['connection', FieldId.CONNECTION],
  ['keep-alive', FieldId.KEEP_ALIVE],
  ['proxy-connection', FieldId.PROXY_CONNECTION],
  ['te', FieldId.TE],
  ['transfer-encoding', FieldId.TRANSFER_ENCODING],
  ['upgrade', FieldId.UPGRADE],
  ['content-length', FieldId.CONTENT_LENGTH],
  ['host', FieldId.HOST],
  ['forwarded', FieldId.FORWARDED],
  ['x-forwarded-for', FieldId.X_FORWARDED_FOR],
  ['x-forwarded-proto', FieldId.X_FORWARDED_PROTO],
  ['x-forwarded-host', FieldId.X_FORWARDED_HOST],
  ['x-forwarded', FieldId.X_FORWARDED_OTHER],
  ['x-real-ip', FieldId.X_FORWARDED_OTHER],
  ['true-client-ip', FieldId.X_FORWARDED_OTHER],
  // frameworks that believe these route by them instead of the target that we judged
  ['x-original-url', FieldId.X_FORWARDED_OTHER],
  ['x-rewrite-url', FieldId.X_FORWARDED_OTHER],
  ['via', FieldId.VIA],
  ['max-forwards', FieldId.MAX_FORWARDS],
  ['proxy-authenticate', FieldId.PROXY_AUTHENTICATE],
  ['trailer', FieldId.TRAILER],
  ['expect', FieldId.EXPECT],
  ['date', FieldId.DATE],
  ['idempotency-key', FieldId.IDEMPOTENCY_KEY],
  ['user-agent', FieldId.USER_AGENT],
  // CGI turns `Proxy` into HTTP_PROXY (CVE-2016-5385); HTTP2-Settings belongs to h2c, which we
  // never offer
  ['proxy', FieldId.ALIAS],
  ['http2-settings', FieldId.ALIAS],
];

const LENGTH_MAX = 31;
const names: readonly Uint8Array[] = known.map(([name]) => ascii(name));
const nameIds: Uint8Array = Uint8Array.from(known, ([, id]) => id);
const forwardedPrefix = ascii('x-forwarded-');

/**
 * First entry of `known` + 1 for (length, low five bits of the first octet); 0 = no name is like
 * that.
 */
const firstEntry: Uint8Array = new Uint8Array((LENGTH_MAX + 1) * 32);
/** Next entry + 1 with the same length and first octet. */
const nextEntry: Uint8Array = new Uint8Array(names.length);
for (let entry = names.length - 1; entry >= 0; entry--) {
  const name = names[entry]!;
  const key = name.length * 32 + (name[0]! & 31);
  nextEntry[entry] = firstEntry[key]!;
  firstEntry[key] = entry + 1;
}

/**
 * The `FieldId` of a field name (token characters only), `OTHER` when it is not one of ours.
 * Cost: one table read for most names that we do not know.
 */
export function identifyField(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length > LENGTH_MAX) return isForwardedFamily(bytes, start, length);
  let entry = firstEntry[length * 32 + (bytes[start]! & 31)]!;
  while (entry !== 0) {
    if (equalsFolded(bytes, start, names[entry - 1]!)) return nameIds[entry - 1]!;
    entry = nextEntry[entry - 1]!;
  }
  return isForwardedFamily(bytes, start, length);
}

/** X-Forwarded-Port, -Prefix, -Server, -Ssl and every other name that begins like them. */
function isForwardedFamily(bytes: Uint8Array, start: number, length: number): number {
  if ((bytes[start]! | 0x20) !== 0x78 || length <= forwardedPrefix.length) return FieldId.OTHER;
  return equalsFolded(bytes, start, forwardedPrefix) ? FieldId.X_FORWARDED_OTHER : FieldId.OTHER;
}

const folded: Uint8Array = new Uint8Array(64);

/**
 * The same for request names with `_` or `.`: `ALIAS` or `FRAMING_ALIAS` when the name with dashes
 * instead
 * is one that we manage, else `OTHER`. Gateways to CGI, WSGI and Rack give both spellings to the
 * application as one
 * (CVE-2026-39858 and its kin).
 */
export function identifyFoldedField(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  // a longer name can only be one of the X-Forwarded family, which its beginning tells
  const compared = Math.min(length, folded.length);
  for (let i = 0; i < compared; i++) {
    const byte = bytes[start + i]!;
    folded[i] = byte === 0x5f || byte === 0x2e ? 0x2d : byte;
  }
  const id = identifyField(folded, 0, compared);
  if (id === FieldId.CONTENT_LENGTH || id === FieldId.TRANSFER_ENCODING)
    return FieldId.FRAMING_ALIAS;
  const isHarmless = id >= FieldId.UNMANAGED && id !== FieldId.EXPECT && id !== FieldId.ALIAS;
  return id === FieldId.OTHER || isHarmless ? FieldId.OTHER : FieldId.ALIAS;
}
