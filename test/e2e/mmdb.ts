import { parseCidr } from '../../src/base/address.ts';

/** What a database says of an address: texts, numbers, maps of them. */
export type MmdbValue = string | number | { readonly [name: string]: MmdbValue };

const SEPARATOR_BYTES = 16;
const IPV4_PREFIX_BITS = 96;

/**
 * A small database in the MaxMind DB format 2.0 (maxmind.github.io/MaxMind-DB): 24-bit records, a
 * tree of IPv6 with IPv4 below `::/96`. Ranges must not contain each other.
 */
export function mmdbOf(type: string, ranges: Readonly<Record<string, MmdbValue>>): Buffer {
  // -1: nothing there; below that: the value with the number -2 - record.
  const nodes: [number, number][] = [[-1, -1]];
  const values: Buffer[] = [];
  for (const [range, value] of Object.entries(ranges)) {
    const cidr = parseCidr(range);
    if (cidr === null) throw new Error(`no range: ${range}`);
    const skipped = cidr.bytes.length === 4 ? IPV4_PREFIX_BITS : 0;
    const bitOf = (at: number): 0 | 1 =>
      at < skipped
        ? 0
        : (((cidr.bytes[(at - skipped) >> 3]! >> (7 - ((at - skipped) & 7))) & 1) as 0 | 1);
    let node = 0;
    const depth = skipped + cidr.bits;
    for (let at = 0; at < depth - 1; at++) {
      const bit = bitOf(at);
      if (nodes[node]![bit] === -1) nodes[node]![bit] = nodes.push([-1, -1]) - 1;
      node = nodes[node]![bit];
    }
    nodes[node]![bitOf(depth - 1)] = -2 - (values.push(encode(value)) - 1);
  }
  const offsets: number[] = [];
  let valueBytes = 0;
  for (const value of values) {
    offsets.push(valueBytes);
    valueBytes += value.length;
  }
  const recordOf = (record: number): number => {
    if (record >= 0) return record;
    return record === -1 ? nodes.length : nodes.length + SEPARATOR_BYTES + offsets[-2 - record]!;
  };
  const tree = Buffer.alloc(nodes.length * 6);
  for (const [index, [left, right]] of nodes.entries()) {
    tree.writeUIntBE(recordOf(left), index * 6, 3);
    tree.writeUIntBE(recordOf(right), index * 6 + 3, 3);
  }
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: 1_750_000_000,
    database_type: type,
    description: {},
    ip_version: 6,
    node_count: nodes.length,
    record_size: 24,
  });
  const marker = Buffer.from('\u00ab\u00cd\u00efMaxMind.com', 'latin1');
  return Buffer.concat([tree, Buffer.alloc(SEPARATOR_BYTES), ...values, marker, metadata]);
}

function encode(value: MmdbValue): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([control(2, text.length), text]);
  }
  if (typeof value === 'number') {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(value);
    return Buffer.concat([control(6, 4), number]);
  }
  const entries = Object.entries(value);
  const parts = entries.flatMap(([name, inner]) => [encode(name), encode(inner)]);
  return Buffer.concat([control(7, entries.length), ...parts]);
}

/** Types below 8 and lengths below 29 take one byte; texts here are shorter than 285. */
function control(type: number, length: number): Buffer {
  return length < 29
    ? Buffer.from([(type << 5) | length])
    : Buffer.from([(type << 5) | 29, length - 29]);
}
