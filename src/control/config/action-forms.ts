import { isTemplateFault, parseTemplate, type VariableName } from '../../model/template.ts';
import { isFieldFree } from '../../wire/http1/free-field.ts';
import { type Form, type FormResult, statusRange } from './forms.ts';
import { canonicalPath, pathPattern } from './match-forms.ts';
import { nearest } from './suggest.ts';

/**
 * A text with variables (`${host}`). `letters`: pattern of all of it. Value: the text as written.
 */
export function template(
  of: { readonly name: string; readonly says: string; readonly letters: string },
  allowed: readonly VariableName[],
): Form {
  const regex = new RegExp(of.letters);
  return {
    name: of.name,
    says: of.says,
    pattern: of.letters,
    read(written) {
      if (!regex.test(written)) return { suggestion: null };
      return templateFault(written, allowed) ?? { value: written };
    },
  };
}

function templateFault(written: string, allowed: readonly VariableName[]): FormResult | null {
  const parsed = parseTemplate(written, allowed);
  if (!isTemplateFault(parsed)) return null;
  const names = allowed.map((name) => (name === 'header' ? 'header.NAME' : name));
  const near = parsed.written === null ? null : nearest(parsed.written, names);
  return {
    suggestion: near === null ? null : `\${${near}}`,
    requirement: `must name only \${${names.join('}, ${')}}; write $\${ for \${ itself`,
  };
}

/** What keeps a user on one side of a split. Value: a `SplitKey`. */
export const splitKey: Form = {
  name: 'split key',
  says: 'client, request, cookie:NAME or header:NAME',
  pattern: "^(client|request|(cookie|header):[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})$",
  read(written) {
    if (written === 'client' || written === 'request') return { value: { kind: written } };
    const match = /^(cookie|header):([A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})$/.exec(written);
    if (match !== null) return { value: { kind: match[1], name: match[2] } };
    if (/^(ip|address|user)$/i.test(written)) return { suggestion: 'client' };
    return { suggestion: nearest(written, ['client', 'request']) };
  },
};

/** Statuses that tell a client to go elsewhere. Value: number. */
export const redirectStatus: Form = {
  name: 'redirect status',
  says: 'one of 301, 302, 303, 307, 308',
  pattern: '^30[12378]$',
  numbers: [301, 308],
  read: (written) =>
    /^30[12378]$/.test(written) ? { value: Number(written) } : { suggestion: null },
};

/** Statuses of errors. Value: `[first, last]`, inclusive. */
export const errorStatuses: Form = {
  name: 'error statuses',
  says: 'a status or a range of statuses from 400 to 599, such as 404 or 502-504',
  pattern: '^[45][0-9]{2}(-[45][0-9]{2})?$',
  numbers: [400, 599],
  read(written) {
    const read = statusRange.read(written);
    if (!('value' in read)) return read;
    return /^[45]/.test(written) ? read : { suggestion: null };
  },
};

/** A literal path without a slash at its end. Value: its canonical form. */
export const pathPrefix: Form = {
  name: 'path prefix',
  says: 'a path such as /v1, in canonical form, without a slash at its end',
  pattern: '^/[!-~]*[!-.0-~]$',
  read(written) {
    const bare = written.replace(/\/?\*?$/, '');
    if (bare !== written) return { suggestion: /^\/[^*?#]+$/.test(bare) ? bare : null };
    if (!/^\/[^*]+$/.test(written) || written.startsWith('//')) return { suggestion: null };
    return pathPattern.read(written);
  },
};

/** Characters of a path; dot segments of literal text are refused by what they would become. */
const pathLetters = '^[/$][!"$->@-~]{0,2047}$';

/** A whole path with variables. Value: the text as written. */
export function pathTemplate(allowed: readonly VariableName[]): Form {
  const says = 'a path that starts with a slash or ${path}, without a query';
  const form = template({ name: 'path template', says, letters: pathLetters }, allowed);
  return {
    ...form,
    read(written) {
      const read = form.read(written);
      if (!('value' in read)) return read;
      if (!/^(\/|\$\{path\})/.test(written)) return { suggestion: `/${written}` };
      const literal = written.replace(/\$\{[^}]*\}/g, 'x');
      return canonicalPath(literal) === literal ? read : { suggestion: null };
    },
  };
}

/** What stands for a match in a path. Value: the text as written. */
export const replacement: Form = {
  name: 'replacement',
  says: 'a part of a path, with $1 to $9 for groups of the pattern',
  pattern: '^([!"%->@-~]|\\$[1-9$])*$',
  read: (written) =>
    /^([!"%->@-~]|\$[1-9$])*$/.test(written) ? { value: written } : { suggestion: null },
};

/**
 * Where a redirect leads. The host of the target is literal or `${host}`: a variable that the client
 * chooses freely would let anybody make links that start here and lead anywhere.
 */
export function redirectTarget(allowed: readonly VariableName[]): Form {
  const says = 'a URL such as https://${host}${uri}, or a path';
  const form = template(
    { name: 'redirect target', says, letters: '^(https?://|/|\\$\\{(path|uri)\\})[!-~]{0,2047}$' },
    allowed,
  );
  return {
    ...form,
    read(written) {
      const read = form.read(written);
      if (!('value' in read)) {
        const isHost = /^[a-z0-9.-]+\.[a-z]{2,}/i.test(written);
        return isHost && !written.includes(' ') ? { suggestion: `https://${written}` } : read;
      }
      if (!/^https?:/.test(written)) return read;
      const isSafe =
        /^https?:\/\/(\$\{host\}|[A-Za-z0-9.-]|\[[0-9A-Fa-f:]+\])+(:[0-9]+)?(\/|\?|#|\$\{(path|uri)\}|$)/;
      if (isSafe.test(written)) return read;
      const requirement =
        'must have a host that is literal or ${host}, then a path, ${path} or ${uri}';
      return { suggestion: null, requirement };
    },
  };
}

/** A Host field. Value: the text as written. */
export const hostTemplate: Form = template(
  {
    name: 'host template',
    says: 'a host such as app.internal or app.internal:8080, with variables ${host}, ${pool} and ${route}',
    letters:
      '^(\\[[0-9A-Fa-f:.]+\\]|([A-Za-z0-9._-]|\\$\\{(host|pool|route)\\}){1,253})(:[0-9]{1,5})?$',
  },
  ['host', 'pool', 'route'],
);

/**
 * Why a header rule may not touch a field, or null when it may. Framing, hop-by-hop and forwarding
 * fields are ours: what is written there decides where a message ends and who is believed.
 */
export function fieldRefusal(
  field: string,
  of: { readonly isRequest: boolean; readonly isSet: boolean },
): string | null {
  return isFieldFree(field, of)
    ? null
    : 'must be a field that does not frame, forward or belong to one link';
}
