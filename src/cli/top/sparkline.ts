const steps = '▁▂▃▄▅▆▇█';

/** The last `width` values as a curve of one line, from nought to the greatest of them. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-width);
  const top = Math.max(...shown, 0);
  const curve = shown
    .map((value) => (top === 0 ? steps[0] : steps[Math.round((value / top) * (steps.length - 1))]))
    .join('');
  return curve.padStart(width);
}
