import { invariant } from '../../base/invariant.ts';
import {
  combinedLine,
  isLineFault,
  type LogForm,
  parseLine,
  secretParameters,
} from '../../model/log-form.ts';
import type { CheckedLog } from './checked.ts';
import type { ConfigLog } from './config.ts';
import type { Refuse } from './refuse.ts';

/** The log with its defaults. */
export function buildLog(log: CheckedLog = {}): ConfigLog {
  return {
    access: log.access ?? { kind: 'stdout' },
    format: log.format ?? 'json',
    form: formOf(log),
    level: log.level ?? 'info',
  };
}

/** Null where every exchange gets the usual line, so that nothing is looked at. */
function formOf(log: CheckedLog): LogForm | null {
  const share = log.sample ?? 1;
  const style =
    log.format === 'combined' || log.format === 'template'
      ? 'text'
      : log.fields === undefined
        ? 'default'
        : 'json';
  if (style === 'default' && share === 1) return null;
  return {
    style,
    parts: log.format === 'combined' ? combined() : (log.template ?? log.fields ?? []),
    hidden: [
      ...new Set([...secretParameters, ...(log.hide ?? []).map((name) => name.toLowerCase())]),
    ],
    keepsErrors: log.always?.errors ?? true,
    slowMs: log.always?.slow ?? 0,
    share,
  };
}

function combined(): LogForm['parts'] {
  const parts = parseLine(combinedLine);
  invariant(!isLineFault(parts), 'our own line is one');
  return parts;
}

/** Settings that go with one format only. */
export function checkLog(log: CheckedLog | undefined, refuse: Refuse): void {
  if (log === undefined) return;
  const { format = 'json', fields, template } = log;
  if (fields !== undefined && format !== 'json') {
    refuse('log.fields', 'must be left out where the format is not json', `found ${format}`);
  }
  if (template !== undefined && format !== 'template') {
    refuse(
      'log.format',
      'must be template where there is a template',
      `found ${format}`,
      'template',
    );
  }
  if (template === undefined && format === 'template' && !refuse.isFaulty('log.template')) {
    refuse('log.template', 'must be given with the format template', 'found none');
  }
}
