import { type PublicKey, parsePublicKey } from '@warren/base';
import { nodeNameFromHostname } from '../node-name.js';

/** What a file says of a section besides its keys. */
export interface SectionNotes {
  /** Of its head; 1 for the first. */
  readonly line: number;
  /** A name that a comment at the head gives, in one of the ways of the wild. Made to fit our rule. */
  readonly hint?: string;
  /** `# PublicKey = …`, which we write where a private key was. */
  readonly publicKey?: PublicKey;
}

/** In the order of the sections: `peers` fits those that `parseWgQuick` gives. */
export interface ConfAnnotations {
  readonly interface: SectionNotes;
  readonly peers: readonly SectionNotes[];
}

type Draft = { -readonly [Key in keyof SectionNotes]: SectionNotes[Key] };

/**
 * Reads the comments of a wg-quick file that was parsed: programs that write such files name peers there, before the head
 * (`### begin phone ###`, `# Client: phone (id)`, `### Client phone`, `# BEGIN_PEER phone`) or behind it (`# phone`).
 */
export function readAnnotations(text: string): ConfAnnotations {
  const peers: Draft[] = [];
  let head: Draft | undefined;
  let section: Draft | undefined;
  let waiting: string | undefined;
  let atHead = false;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/^\uFEFF/, '').trim();
    if (/^\[(interface|peer)\]/i.test(line)) {
      section = /^\[peer/i.test(line) ? { line: index + 1 } : (head ?? { line: index + 1 });
      if (/^\[peer/i.test(line)) peers.push(section);
      else head = section;
      if (waiting !== undefined) section.hint ??= waiting;
      waiting = undefined;
      atHead = true;
    } else if (line.startsWith('#')) {
      const publicKey = parsePublicKey(/^#\s*PublicKey\s*=\s*(\S+)$/i.exec(line)?.[1] ?? '');
      const name = nameInComment(line);
      if (publicKey !== undefined && section && section === head) section.publicKey = publicKey;
      else if (section && atHead && name !== undefined) section.hint ??= name;
      // What stands behind a section's keys belongs to the next one.
      else waiting = name;
    } else if (line !== '') {
      atHead = false;
      waiting = undefined;
    }
  }
  return { interface: head ?? { line: 1 }, peers };
}

const KIND = '(?:begin(?:_peer)?|client|peer|user|host|device|node|friendly_name|name)';
/** `Client: Anna's phone (id)`: with a sign behind the label, all up to the bracket. */
const ASSIGNED = new RegExp(`^${KIND}\\s*[:=]\\s*([^(]{1,63})`, 'i');
/** `begin phone`: without one, a single word. */
const LABELLED = new RegExp(`^${KIND}\\s+(\\S{1,63})$`, 'i');
/** No comment that names somebody is longer; the patterns take the square of what they are given. */
const LONGEST_COMMENT = 200;
const ONE_WORD = /^[\p{L}\p{N}][\p{L}\p{N}_.@-]{0,62}$/u;
/** Words that stand alone in comments and name nobody. */
const NO_NAMES = /^(end|peers?|clients?|servers?|interface|wireguard|end_peer|todo)$/i;

function nameInComment(comment: string): string | undefined {
  if (comment.length > LONGEST_COMMENT) return undefined;
  const text = comment.replace(/^[#\s]+|[#\s]+$/g, '');
  const word = ASSIGNED.exec(text)?.[1] ?? LABELLED.exec(text)?.[1] ?? (ONE_WORD.test(text) ? text : undefined);
  return word === undefined || NO_NAMES.test(word.trim()) ? undefined : nodeNameFromHostname(word.trim());
}
