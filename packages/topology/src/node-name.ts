/** What a node may be called, in words for whoever chose another name. */
export const NODE_NAME_RULE = 'a name has 1 to 63 lower-case letters, digits and hyphens, no hyphen first or last';

/** A DNS label (RFC 1035 §2.3.1, digits first allowed by RFC 1123 §2.1), because names become host names. */
const NODE_NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** @returns the name itself, or undefined when it breaks `NODE_NAME_RULE`. */
export const parseNodeName = (text: string): string | undefined => (NODE_NAME.test(text) ? text : undefined);

/** The node name that a host name suggests: its first label, made to fit. @returns undefined when nothing is left. */
export function nodeNameFromHostname(hostname: string): string | undefined {
  const label = hostname.split('.', 1)[0]!.toLowerCase();
  const fitted = label
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-|-$/g, '');
  return parseNodeName(fitted);
}
