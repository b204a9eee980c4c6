import { identifyField, identifyFoldedField } from './field-names.ts';
import { FieldId } from './head.ts';
import { ascii } from './tokens.ts';

/**
 * May a user's rule or hook touch a field of this name? Framing, hop-by-hop and forwarding fields are
 * ours: what is written there decides where a message ends and who is believed. `isSet`: it is given a
 * value, not only removed.
 */
export function isFieldFree(
  name: string,
  of: { readonly isRequest: boolean; readonly isSet: boolean },
): boolean {
  const bytes = ascii(name.toLowerCase());
  const id = identifyField(bytes, 0, bytes.length);
  if (id === FieldId.OTHER) return identifyFoldedField(bytes, 0, bytes.length) === FieldId.OTHER;
  return (
    id === FieldId.IDEMPOTENCY_KEY ||
    id === FieldId.USER_AGENT ||
    // Names such as X-Real-IP: what a client says there is gone, so ours may stand there.
    (id === FieldId.X_FORWARDED_OTHER && of.isSet && of.isRequest)
  );
}
