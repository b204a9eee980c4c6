import {
  exchangeFacts,
  isLineFault,
  isSecretHeader,
  logFactOf,
  parseLine,
  requestFacts,
} from '../../model/log-form.ts';
import * as form from './forms.ts';
import { logTarget } from './match-forms.ts';
import type { RecordShape } from './shape.ts';
import { choice, flag, key, list, oneOrMore, record, written } from './shape.ts';
import { nearest } from './suggest.ts';

const factNames: readonly string[] = [
  ...requestFacts.map((fact) => (fact === 'header' ? 'header.NAME' : fact)),
  ...exchangeFacts,
];
const secretHeaderSays = 'must name a header that carries no secrets';

/** A fact of a line. Value: a `LogPart`. */
const logField: form.Form = {
  name: 'log field',
  says: `one of ${factNames.join(', ')}`,
  pattern: "^([A-Za-z]{2,16}|header\\.[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})$",
  read(written) {
    const part = logFactOf(written);
    if (part === null) return { suggestion: nearest(written, factNames) };
    if (isSecretHeader(part.header)) return { suggestion: null, requirement: secretHeaderSays };
    return { value: part };
  },
};

/** A whole line with facts in it. Value: its `LogPart`s. */
const logTemplate: form.Form = {
  name: 'log template',
  says: 'a line of up to 2048 letters with facts such as ${client} or ${header.NAME}',
  pattern: '^[^\\u0000-\\u0008\\u000a-\\u001f\\u007f]{1,2048}$',
  read(written) {
    if (!new RegExp(this.pattern).test(written)) return { suggestion: null };
    const parsed = parseLine(written);
    if (isLineFault(parsed)) {
      const near = parsed.written === null ? null : nearest(parsed.written, factNames);
      return {
        suggestion: near === null ? null : `\${${near}}`,
        requirement: `must name only \${${factNames.join('}, ${')}}; write $\${ for \${ itself`,
      };
    }
    if (parsed.some((part) => 'fact' in part && isSecretHeader(part.header))) {
      return { suggestion: null, requirement: secretHeaderSays };
    }
    const facts = parsed.filter((part) => 'fact' in part).length;
    if (facts > 64) return { suggestion: null, requirement: 'must have at most 64 facts' };
    return { value: parsed };
  },
};

const parameterName = form.text(
  'parameter name',
  'the name of a query parameter of 1 to 64 letters, decoded',
  '^[!-~]{1,64}$',
);

/** `log` of the configuration. */
export const log: RecordShape = record(
  'log',
  'a target of the access log or a map of settings',
  {
    access: key(written(logTarget), 'Where access-log lines go.', { default: 'stdout' }),
    format: key(
      choice(['json', 'combined', 'template'], ['text', 'common', 'logfmt']),
      'How they look. `combined` is what Apache and nginx write.',
      { default: 'json' },
    ),
    fields: key(
      list(written(logField), { least: 1, most: 64 }),
      'Members of a JSON line, in order. Headers that carry secrets are refused.',
      { default: 'all but query, uri, protocol, referer, userAgent, header, commonTime and trace' },
    ),
    template: key(
      written(logTemplate),
      'The line of the format `template`; `-` stands for what is not known.',
    ),
    hide: key(
      oneOrMore(written(parameterName), 64),
      'Query parameters whose values are never shown, besides the usual names of tokens, keys and passwords.',
      { default: 'none' },
    ),
    sample: key(written(form.percentage), 'Share of the exchanges that get a line.', {
      default: '100%',
    }),
    always: key(
      record('log always', 'a map of settings', {
        errors: key(flag, 'Answers of 500 and above, and those that were not completed.', {
          default: 'true',
        }),
        slow: key(written(form.duration('1ms', '1h')), 'Exchanges that took so long or longer.'),
      }),
      'What gets a line whatever `sample` says.',
    ),
    level: key(choice(['debug', 'info', 'warn', 'error']), 'The least level of our own messages.', {
      default: 'info',
    }),
  },
  { short: 'access', later: ['syslog', 'errors', 'rotate'] },
);
