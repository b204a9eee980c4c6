import { limits } from '../model/limits.ts';
import type { QueueRule } from '../model/snapshot.ts';
import type { Head } from '../wire/http1/head.ts';

/** How a header field tells the priority class of a request. */
export interface QueueClassTable {
  /** Lower case. */
  readonly header: string;
  /** By value in lower case. */
  readonly classes: ReadonlyMap<string, number>;
  readonly otherwise: number;
}

/** Null when a queue has no classes. */
export function classTableOf(queue: QueueRule | null): QueueClassTable | null {
  if (queue === null || queue.classes === null) return null;
  const { header, values, otherwise } = queue.classes;
  return { header, classes: new Map(Object.entries(values)), otherwise };
}

/** The class of a request, 0 … 7. Cost: one pass over its field names; only for pools whose queue has classes. */
export function queueClassOf(table: QueueClassTable, head: Head): number {
  const { bytes, fields } = head;
  const { header } = table;
  for (let i = 0; i < head.fieldCount; i++) {
    const at = i * 4;
    if (fields[at + 1]! - fields[at]! !== header.length) continue;
    if (textOf(bytes, fields[at]!, fields[at + 1]!) !== header) continue;
    const value = textOf(bytes, fields[at + 2]!, fields[at + 3]!);
    return Math.min(table.classes.get(value) ?? table.otherwise, limits.queueClasses - 1);
  }
  return table.otherwise;
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  const length = Math.min(end - start, 256);
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length)
    .toString('latin1')
    .toLowerCase();
}
