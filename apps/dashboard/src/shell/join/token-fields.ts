import { parseNodeName } from '@warren/topology';
import type { TokenRequest } from '../../api/tokens.js';

/** What a form for a token holds: texts as they are typed. */
export interface TokenFields {
  readonly name: string;
  readonly role: '' | 'client' | 'direct' | 'bounce';
  readonly uses: 'one' | 'some' | 'any';
  /** With `some`. */
  readonly count: string;
  /** A duration, `never` or `other`. */
  readonly expires: string;
  /** With `other`. */
  readonly otherExpiry: string;
  readonly tags: string;
  readonly ephemeral: boolean;
  readonly approval: boolean;
}

export const NEW_TOKEN: TokenFields = {
  name: '',
  role: '',
  uses: 'one',
  count: '10',
  expires: '1h',
  otherExpiry: '',
  tags: '',
  ephemeral: false,
  approval: false,
};

/** What is wrong, by field. */
export type TokenFaults = Partial<Record<keyof TokenFields, string>>;

const MOST_TAGS = 32;
/** As the control plane has it. */
const MOST_USES = 1_000_000;

/** Tags as people type them: with commas or spaces between. */
export const splitTags = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter(Boolean))];

/** @returns what is wrong with tags, in words. */
export function tagsFault(text: string): string | undefined {
  const tags = splitTags(text);
  const wrong = tags.find((tag) => !parseNodeName(tag));
  if (wrong !== undefined)
    return `“${wrong}” is no tag: lower-case letters, digits and hyphens, at most 63, no hyphen first or last`;
  return tags.length > MOST_TAGS ? `at most ${MOST_TAGS} tags` : undefined;
}

/** What is sent, or what has to be mended first. */
export function tokenRequest(network: string, fields: TokenFields): { body: TokenRequest } | { faults: TokenFaults } {
  const faults: { -readonly [key in keyof TokenFaults]: string } = {};
  const name = fields.name.trim();
  if ([...name].length > 64) faults.name = 'at most 64 characters';
  const count = Number(fields.count);
  if (fields.uses === 'some' && !(Number.isInteger(count) && count >= 1 && count <= MOST_USES))
    faults.count = `a whole number from 1 to ${MOST_USES.toLocaleString('en')}`;
  const expires = fields.expires === 'other' ? fields.otherExpiry.trim() : fields.expires;
  if (fields.expires === 'other' && !/^(\d{1,9}[smhdw])+$/.test(expires))
    faults.otherExpiry = 'a duration such as 30m, 12h, 3d or 2w';
  const tags = tagsFault(fields.tags);
  if (tags) faults.tags = tags;
  if (Object.keys(faults).length > 0) return { faults };
  const { role, ephemeral, approval } = fields;
  return {
    body: {
      network,
      ...(name !== '' && { name }),
      ...(role !== '' && { role }),
      tags: splitTags(fields.tags),
      ...{ ephemeral, approval },
      uses: fields.uses === 'any' ? null : fields.uses === 'some' ? count : 1,
      expires: expires === 'never' ? null : expires,
    },
  };
}
