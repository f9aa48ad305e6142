import { WarrenError } from '@warren/base';

/** A DNS label (RFC 1035 §2.3.1, digits first allowed by RFC 1123 §2.1), because names become `<node>.<network>.internal`. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
export const NAME_RULE = 'lower-case letters, digits and inner hyphens, at most 63';

export const isName = (text: string): boolean => LABEL.test(text);

/** @throws WarrenError `bad-request` that says the rule. */
export function checkName(of: string, text: string): string {
  if (!isName(text)) throw new WarrenError('bad-request', `the ${of} name ${JSON.stringify(text.slice(0, 80))} must be ${NAME_RULE}`);
  return text;
}
