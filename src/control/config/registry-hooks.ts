import * as form from './forms.ts';
import type { RecordShape } from './shape.ts';
import { choice, key, record, written } from './shape.ts';

const modulePath = form.text(
  'module path',
  'the path of a module such as ./hooks.ts',
  '^[^\\u0000-\\u001f]{1,1000}\\.[cm]?[jt]s$',
);

/** `hooks` of the configuration and of a route. */
export const hooks: RecordShape = record(
  'hooks',
  'a path of a module or a map with a module',
  {
    module: key(
      written(modulePath),
      'Module whose default export has the hooks; relative to the file of the configuration.',
      { isRequired: true },
    ),
    timeout: key(written(form.duration('1ms', '1m')), 'How long one hook may take.', {
      default: '1s',
    }),
    onFailure: key(
      choice(['pass', 'refuse']),
      'When a hook throws or is late: go on without it, or answer 500 (late: 503).',
      { default: 'refuse' },
    ),
  },
  { short: 'module' },
);
