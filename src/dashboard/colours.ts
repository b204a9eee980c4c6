const known = new Map<string, string>();

/** A colour of the style sheet as `#rrggbb`, for what is drawn by code. */
export function colour(name: string): string {
  const kept = known.get(name);
  if (kept !== undefined) return kept;
  const value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  known.set(name, value);
  return value;
}

const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

/** The colours are others now, also when nothing is drawn by code at this moment. */
function onChanged(): void {
  known.clear();
  for (const listener of listeners) listener();
}

dark.addEventListener('change', onChanged);
addEventListener('theme', onChanged);

/** Calls when light becomes dark or the other way round; gives what ends that. */
export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
