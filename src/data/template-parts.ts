import { invariant } from '../base/invariant.ts';
import {
  isTemplateFault,
  parseTemplate,
  type TemplatePart,
  type VariableName,
} from '../model/template.ts';

/** The parts of a template that control has checked. */
export function partsOf(
  template: string,
  allowed: readonly VariableName[],
): readonly TemplatePart[] {
  const parts = parseTemplate(template, allowed);
  invariant(!isTemplateFault(parts), 'templates of a snapshot are checked');
  return parts;
}
