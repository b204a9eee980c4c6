import type { PercentageInput, SizeInput } from './define.ts';

/** What a request must have, all of it; the short form is the path. */
export interface MatchInput {
  host?: string | string[] | undefined;
  path?: string | string[] | undefined;
  method?: string | string[] | undefined;
  pathPattern?: string | string[] | undefined;
  header?: Record<string, TestInput> | undefined;
  query?: Record<string, TestInput> | undefined;
  cookie?: Record<string, TestInput> | undefined;
  contentType?: string | string[] | undefined;
  size?: SizeRangeInput | undefined;
  protocol?: ProtocolInput | ProtocolInput[] | undefined;
  client?: string | string[] | undefined;
  country?: string | string[] | undefined;
  continent?: ContinentInput | ContinentInput[] | undefined;
  asn?: number | string | (number | string)[] | undefined;
  time?: TimeInput | undefined;
  share?: PercentageInput | undefined;
  all?: (string | string[] | MatchInput)[] | undefined;
  any?: (string | string[] | MatchInput)[] | undefined;
  not?: string | string[] | MatchInput | undefined;
}

/** Versions of HTTP that a client may speak. */
export type ProtocolInput = 'http/1.0' | 'http/1.1';
/** Codes of continents. */
export type ContinentInput = 'AF' | 'AN' | 'AS' | 'EU' | 'NA' | 'OC' | 'SA';

/** A test of the values of one name; the short form is the text, or a list of texts. */
export type TestInput =
  | string
  | number
  | (string | number)[]
  | {
      is?: string | number | (string | number)[] | undefined;
      present?: boolean | undefined;
      prefix?: string | number | undefined;
      pattern?: string | undefined;
      not?: TestInput | undefined;
    };

/** Bounds of a size, inclusive. */
export interface SizeRangeInput {
  min?: SizeInput | undefined;
  max?: SizeInput | undefined;
}

/** A window of local time. */
export interface TimeInput {
  days?: string | string[] | undefined;
  from?: string | undefined;
  to?: string | undefined;
  zone?: string | undefined;
}

/** Databases of addresses; the short form is the one of countries. */
export interface GeoInput {
  country?: string | undefined;
  asn?: string | undefined;
}
