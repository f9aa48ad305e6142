import { WarrenError } from '@warren/base';
import { NODE_NAME_RULE, parseNodeName } from '@warren/topology';

/** Networks are named as nodes are: `<node>.<network>.internal`. */
export const isName = (text: string): boolean => parseNodeName(text) !== undefined;

/** @throws WarrenError `bad-request` that says the rule. */
export function checkName(of: string, text: string): string {
  if (isName(text)) return text;
  throw new WarrenError(
    'bad-request',
    `the ${of} name ${JSON.stringify(text.slice(0, 80))} cannot be used: ${NODE_NAME_RULE}`,
  );
}
