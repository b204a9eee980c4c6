const known = new Map<string, string>();

/** A colour of the style sheet as `#rrggbb`, for what is drawn by code. */
export function colour(name: string): string {
  const kept = known.get(name);
  if (kept !== undefined) return kept;
  const value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  known.set(name, value);
  return value;
}

/** Calls when light becomes dark or the other way round; gives what ends that. */
export function onThemeChange(listener: () => void): () => void {
  const changed = (): void => {
    known.clear();
    listener();
  };
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', changed);
  addEventListener('theme', changed);
  return () => {
    dark.removeEventListener('change', changed);
    removeEventListener('theme', changed);
  };
}
