/**
 * Do two pieces of plain data (values, arrays, objects of them) say the same? The order of keys does not
 * count, and a key without a value is no key. Cost: linear; nothing allocated, identical parts are not
 * looked into.
 */
export function isSameData(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object') return false;
  if (one === null || other === null) return false;
  if (Array.isArray(one)) return Array.isArray(other) && areSameItems(one, other);
  if (Array.isArray(other)) return false;
  return hasAllOf(one as Fields, other as Fields) && hasNoMore(other as Fields, one as Fields);
}

type Fields = Readonly<Record<string, unknown>>;

function areSameItems(some: readonly unknown[], others: readonly unknown[]): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at++) if (!isSameData(some[at], others[at])) return false;
  return true;
}

function hasAllOf(one: Fields, other: Fields): boolean {
  for (const key in one) if (!isSameData(one[key], other[key])) return false;
  return true;
}

function hasNoMore(other: Fields, one: Fields): boolean {
  for (const key in other) if (other[key] !== undefined && !Object.hasOwn(one, key)) return false;
  return true;
}
