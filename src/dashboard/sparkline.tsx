import type { VNode } from 'preact';

interface Props {
  /** Oldest first. */
  readonly values: readonly number[];
  /** Values that the width stands for. */
  readonly most: number;
}

const WIDTH = 100;
const HEIGHT = 24;

/** A small curve of the last values, from nought to the greatest. One path: two hundred of them are cheap. */
export function Sparkline({ values, most }: Props): VNode {
  const top = Math.max(...values, 1e-9);
  const step = WIDTH / Math.max(1, most - 1);
  const from = WIDTH - step * (values.length - 1);
  let line = '';
  for (const [at, value] of values.entries()) {
    const x = (from + step * at).toFixed(1);
    const y = (HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1);
    line += `${at === 0 ? 'M' : 'L'}${x} ${y}`;
  }
  const area = values.length > 1 ? `${line}L${WIDTH} ${HEIGHT}L${from.toFixed(1)} ${HEIGHT}Z` : '';
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path class="spark-area" d={area} />
      <path class="spark-line" d={line} />
    </svg>
  );
}
