import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Reader, Response } from 'maxmind';
import type { GeoBytes } from '../model/messages.ts';
import { localConfigFiles } from './config-files.ts';

/** A database file that was read, or why not, in words that end the sentence `found …`. */
export type ReadGeoFile =
  | { readonly ok: true; readonly bytes: SharedArrayBuffer; readonly mark: string }
  | { readonly ok: false; readonly found: string };

const requireHere = createRequire(import.meta.url);
/** The largest city databases are 150 MB. */
const databaseBytesMax = 536_870_912;

/** The database of countries that is used where none is named; null where it is not installed. */
export function defaultCountryFile(): string | null {
  try {
    return requireHere.resolve(
      '@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb',
    );
  } catch {
    // Not installed, which its users are told.
    return null;
  }
}

/** Reads a database and looks whether it is one. Errors: as a value, never thrown. */
export async function readGeoFile(path: string): Promise<ReadGeoFile> {
  const file = await localConfigFiles.read(path, databaseBytesMax);
  if (!file.ok) return file;
  const bytes = new SharedArrayBuffer(file.bytes.length);
  new Uint8Array(bytes).set(file.bytes);
  try {
    openReader(bytes);
    const mark = createHash('sha256').update(file.bytes).digest('hex').slice(0, 16);
    return { ok: true, bytes, mark };
  } catch {
    // The package throws of many kinds for what is no database.
    return { ok: false, found: 'found a file that is no MMDB database' };
  }
}

/** The package is loaded when a database is first opened: that takes a thread some 30 ms. */
function openReader(bytes: SharedArrayBuffer): Reader<Response> {
  const { Reader } = requireHere('maxmind') as typeof import('maxmind');
  return new Reader(Buffer.from(bytes));
}

/**
 * Databases of addresses, open. They know the fields of GeoLite2 and DB-IP (`country.iso_code`,
 * `continent.code`, `autonomous_system_number`), of ip-location-db (`country_code`) and of IPinfo
 * (`country_code`, `continent_code`, `asn: AS1`).
 */
export class GeoDatabase {
  readonly #country: Reader<Response> | null;
  readonly #asn: Reader<Response> | null;

  /** Errors: throws for what `readGeoFile` refuses. */
  constructor(bytes: GeoBytes) {
    this.#country = bytes.country === null ? null : openReader(bytes.country);
    this.#asn = bytes.asn === null ? null : openReader(bytes.asn);
  }

  /** Codes in upper case; null = unknown. Cost: some 2 µs. */
  country(address: string): { country: string | null; continent: string | null } {
    const found = recordOf(this.#country, address);
    const country = codeOf(found?.['country'], 'iso_code') ?? codeOf(found?.['country_code']);
    const continent = codeOf(found?.['continent'], 'code') ?? codeOf(found?.['continent_code']);
    return { country, continent };
  }

  /** Number of the autonomous system; null = unknown. */
  asn(address: string): number | null {
    const found = recordOf(this.#asn, address);
    const number = found?.['autonomous_system_number'] ?? found?.['asn'];
    const digits = /^(?:AS)?(\d{1,10})$/.exec(String(number))?.[1];
    return digits === undefined ? null : Number(digits);
  }
}

function recordOf(
  reader: Reader<Response> | null,
  address: string,
): Readonly<Record<string, unknown>> | null {
  try {
    return (reader?.get(address) ?? null) as Readonly<Record<string, unknown>> | null;
  } catch {
    // A database may be for IPv4 only, and damage inside a file shows at look-ups only.
    return null;
  }
}

function codeOf(value: unknown, inner?: string): string | null {
  const code =
    inner !== undefined && typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)[inner]
      : value;
  return typeof code === 'string' && /^[A-Za-z]{2}$/.test(code) ? code.toUpperCase() : null;
}
