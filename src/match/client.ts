import { parseAddress } from '../base/address.ts';
import { continentOf } from './continents.ts';

/** What a database knows of an address. Codes in upper case; null = unknown. */
export interface GeographyOf {
  country(address: string): { readonly country: string | null; readonly continent: string | null };
  /** Number of the autonomous system; null = unknown. */
  asn(address: string): number | null;
}

/** A client address with what conditions ask about it. */
export interface Client {
  readonly address: string;
  /** Hex digits of the address, 8 or 32; empty for what is no address. */
  readonly key: string;
  readonly country: Uint8Array | null;
  readonly continent: Uint8Array | null;
  readonly asn: Uint8Array | null;
}

/** Clients remembered; more distinct ones than this start the memory anew. */
const CLIENTS_MAX = 4_096;
const encoder = new TextEncoder();

/** Remembers clients by address: a look-up in a database costs microseconds. */
export class Clients {
  readonly #byAddress = new Map<string, Client>();
  readonly #geography: GeographyOf | null;

  /** `geography`: null where no route asks for it. */
  constructor(geography: GeographyOf | null) {
    this.#geography = geography;
  }

  /** Cost: one map read for a known one. */
  of(address: string): Client {
    const known = this.#byAddress.get(address);
    if (known !== undefined) return known;
    if (this.#byAddress.size >= CLIENTS_MAX) this.#byAddress.clear();
    const made = this.#make(address);
    this.#byAddress.set(address, made);
    return made;
  }

  #make(address: string): Client {
    const key = addressKey(address);
    const geography = key === '' ? null : this.#geography;
    const place = geography?.country(address) ?? { country: null, continent: null };
    const continent =
      place.continent ?? (place.country === null ? null : continentOf(place.country));
    const asn = geography?.asn(address) ?? null;
    return {
      address,
      key,
      country: encoded(place.country),
      continent: encoded(continent),
      asn: encoded(asn === null ? null : String(asn)),
    };
  }
}

function encoded(text: string | null): Uint8Array | null {
  return text === null ? null : encoder.encode(text);
}

/** Hex digits of a numeric address, in the order of addresses; empty for what is none. */
function addressKey(address: string): string {
  return keyOf(parseAddress(address));
}

/** The same for the bytes of an address. */
export function keyOf(bytes: Uint8Array | null): string {
  let key = '';
  for (const byte of bytes ?? []) key += byte.toString(16).padStart(2, '0');
  return key;
}
