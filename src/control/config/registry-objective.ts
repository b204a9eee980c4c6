import * as form from './forms.ts';
import type { RecordShape } from './shape.ts';
import { key, record, written } from './shape.ts';

/** `objective` of a pool. */
export const objective: RecordShape = record('pool objective', 'a map of objectives', {
  p99: key(
    written(form.duration('1ms', '10m')),
    'What all but every hundredth request shall take at most.',
    { default: 'none' },
  ),
  success: key(
    written(form.percentage),
    'Share of requests that shall succeed; what is left is the error budget.',
    { default: '99.9%' },
  ),
  load: key(
    written(form.percentage),
    'Share of what it can do at most that a server shall be given in plans.',
    { default: '80%' },
  ),
});
