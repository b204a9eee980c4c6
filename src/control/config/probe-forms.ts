import { type Form, text } from './forms.ts';

/** What is sent, looked for or compared. Value: as written. */
export const longText: Form = text('text', 'a text of at most 4096 letters', '^[\\s\\S]{0,4096}$');

/** Statuses or a text: the type of the probe says which. Value: as written. */
export const expectation: Form = {
  ...text(
    'expectation',
    'a status or a range of statuses such as 200-399, for a tcp probe a text',
    '^[\\s\\S]{1,4096}$',
  ),
  numbers: [100, 599],
};

/** A place in a JSON document: `$.status`, `$.checks.db`, `$.items[0].name`. Value: as written. */
export const jsonPath: Form = {
  name: 'JSON path',
  says: 'a path into JSON such as $.status or $.checks[0].ok',
  pattern: '^\\$(\\.[A-Za-z0-9_-]{1,64}|\\[[0-9]{1,6}\\]){0,32}$',
  read(written) {
    if (/^\$(\.[A-Za-z0-9_-]{1,64}|\[[0-9]{1,6}\]){0,32}$/.test(written)) return { value: written };
    const bare = /^\.?([A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,31})$/.exec(written);
    return { suggestion: bare === null ? null : `$.${bare[1]}` };
  },
};

/** A program. Value: as written. */
export const command: Form = {
  name: 'program',
  says: 'the path of a program, or its name within PATH; arguments stand in args',
  pattern: '^[^\\s\\x00][^\\x00]{0,1023}$',
  read(written) {
    const isProgram = /^[^\s\0][^\0]{0,1023}$/.test(written);
    // A shell's line would be looked for as one file of that name and never found.
    if (isProgram && (written.startsWith('/') || !/\s/.test(written))) return { value: written };
    const [first, ...rest] = written.trim().split(/\s+/);
    const isLine = isProgram && rest.length > 0;
    return { suggestion: isLine ? `command: ${first}, args: [${rest.join(', ')}]` : null };
  },
};

/** A field of a request. Value: as written. */
export const fieldName: Form = text(
  'header name',
  'the name of a header field',
  "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$",
);

/** No control characters: a line break here would be a header line of its own. */
export const fieldValue: Form = text(
  'header value',
  'a text of at most 4096 printable letters',
  '^[ -~]{0,4096}$',
);
