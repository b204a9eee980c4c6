import * as form from './forms.ts';
import type { RecordShape } from './shape.ts';
import { flag, key, record, written } from './shape.ts';

const directory = form.text(
  'directory',
  'the absolute path of a directory, at most 512 letters',
  '^/[^\\u0000-\\u001f]{0,511}$',
);

/** `history` of the configuration. */
export const history: RecordShape = record(
  'history',
  'true, false or a map of settings',
  {
    enabled: key(flag, 'Whether figures of the past are kept at all.', { default: 'true' }),
    directory: key(
      written(directory),
      'Where its file is; without a file of the configuration it is kept in memory.',
      { default: 'the state directory of the service or the user' },
    ),
    size: key(
      written(form.size('1MiB', '64GiB')),
      'What the file may hold; beyond it the oldest goes before its sixty days.',
      { default: '200MiB' },
    ),
  },
  { short: 'enabled' },
);
