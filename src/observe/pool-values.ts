import { EndColumn, PoolColumn, reasonCodes, ServerColumn } from './columns.ts';

/**
 * What a pool counted in all, by its columns: its own row, and the ends and reasons of its servers,
 * those included that left it.
 */
export function poolValues(
  own: readonly number[],
  servers: readonly (readonly number[])[],
): readonly number[] {
  const values = [...own];
  for (const server of servers) {
    for (let column = EndColumn.S1XX; column <= EndColumn.ABORTED; column++) {
      values[column]! += server[column] ?? 0;
    }
    for (let reason = 0; reason < reasonCodes.length; reason++) {
      values[PoolColumn.REASONS + reason]! += server[ServerColumn.REASONS + reason] ?? 0;
    }
  }
  return values;
}
