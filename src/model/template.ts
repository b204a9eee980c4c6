/** A fact about a request that a text of the configuration may name. */
export type VariableName =
  | 'client'
  | 'header'
  | 'host'
  | 'method'
  | 'path'
  | 'pool'
  | 'query'
  | 'reason'
  | 'requestId'
  | 'route'
  | 'scheme'
  | 'server'
  | 'status'
  | 'uri';

/** A piece of a template: text as it is, or a variable. `field`: lower-case name, for `header` only. */
export type TemplatePart =
  | { readonly text: string }
  | { readonly variable: VariableName; readonly field: string };

/** Why a text is no template, in words that end the sentence `found …`. */
export interface TemplateFault {
  readonly found: string;
  /** The variable as it was written, without its braces; null where braces are at fault. */
  readonly written: string | null;
}

/** What is known of every request from its head on. */
export const requestVariables: readonly VariableName[] = [
  'client',
  'header',
  'host',
  'method',
  'path',
  'pool',
  'query',
  'requestId',
  'route',
  'scheme',
  'uri',
];

/** The same when a server has answered. */
export const responseVariables: readonly VariableName[] = [...requestVariables, 'server'];

/** What a redirect may name: no pool was chosen. */
export const answerVariables: readonly VariableName[] = requestVariables.filter(
  (name) => name !== 'pool',
);

/** What an error page may name: nothing that the client wrote. */
export const errorVariables: readonly VariableName[] = ['reason', 'requestId', 'route', 'status'];

/**
 * Takes `a ${variable} b` apart; `$${` stands for the two letters themselves, any other `$` for itself.
 * `header.NAME` names a header field of the request. Cost: linear.
 */
export function parseTemplate(
  template: string,
  allowed: readonly VariableName[],
): readonly TemplatePart[] | TemplateFault {
  const parts: TemplatePart[] = [];
  let text = '';
  let at = 0;
  while (at < template.length) {
    if (template.startsWith('$${', at)) {
      text += '${';
      at += 3;
      continue;
    }
    if (!template.startsWith('${', at)) {
      text += template[at];
      at++;
      continue;
    }
    const end = template.indexOf('}', at);
    if (end < 0) return { found: 'found `${` without its `}`', written: null };
    const part = variableOf(template.slice(at + 2, end), allowed);
    if ('found' in part) return part;
    if (text !== '') parts.push({ text });
    text = '';
    parts.push(part);
    at = end + 1;
  }
  if (text !== '') parts.push({ text });
  return parts;
}

/** Whether `parseTemplate` found a fault. */
export function isTemplateFault(
  parsed: readonly TemplatePart[] | TemplateFault,
): parsed is TemplateFault {
  return 'found' in parsed;
}

function variableOf(
  written: string,
  allowed: readonly VariableName[],
): TemplatePart | TemplateFault {
  const field = /^header\.([A-Za-z0-9!#$%&'*+.^_`|~-]{1,128})$/.exec(written)?.[1];
  const name = allowed.find((one) => (one === 'header' ? field !== undefined : one === written));
  if (name !== undefined) return { variable: name, field: (field ?? '').toLowerCase() };
  return { found: `found \${${written.slice(0, 64)}}`, written };
}
