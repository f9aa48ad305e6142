import type { Schemas } from '@warren/client';
import { plural } from '../../ui/format.js';
import { changesOf } from './change-texts.js';
import { type Part, textOf, textsOf } from './parts.js';

export type AuditEntry = Schemas['AuditEntry'];

const ACTOR: Part = { is: 'actor' };
const node = ({ subject, details }: AuditEntry): Part => ({ is: 'node', id: subject, name: textOf(details.name) });
const network = ({ subject }: AuditEntry): Part => ({ is: 'network', name: subject });
const code = (text: string): Part => ({ is: 'code', text });
const named = (name: unknown): string => (textOf(name) === undefined ? '' : ` “${textOf(name)}”`);
const listed = (texts: readonly string[]): Part[] => (texts.length > 0 ? [' ', code(texts.join(', '))] : []);
const at = (details: AuditEntry['details']): Part[] =>
  textsOf(details.addresses).length > 0 ? [' at', ...listed(textsOf(details.addresses))] : [];
const expiry = (value: unknown): string => {
  const at = Date.parse(textOf(value) ?? '');
  return Number.isNaN(at) ? ', without expiry' : `, until ${new Date(at).toLocaleString()}`;
};

type Say = (entry: AuditEntry) => readonly Part[];
const did =
  (verb: string, tail: (entry: AuditEntry) => readonly Part[] = () => []): Say =>
  (entry) => [ACTOR, ` ${verb} `, node(entry), ...tail(entry)];
const role = ({ details }: Pick<AuditEntry, 'details'>): string =>
  textOf(details.role) ? ` as ${textOf(details.role)}` : '';
const token = ({ details }: AuditEntry): string =>
  textOf(details.name)
    ? `the join token “${textOf(details.name)}”`
    : `a join token${role({ details }).replace(' as', ' for')}`;

const NODES: Readonly<Record<string, Say>> = {
  'node.create': (entry) => [ACTOR, ' added ', node(entry), role(entry), ...at(entry.details)],
  'node.join': (entry) => [node(entry), ` joined${role(entry)}`, ...at(entry.details), ', let in by ', ACTOR],
  'node.rejoin': (entry) => [node(entry), ' joined again', ...at(entry.details)],
  'node.take-over': (entry) => [node(entry), ' is run by an agent now', ...at(entry.details)],
  // Each entry of a node has its name: where there is nothing else, that is what was changed.
  'node.update': (entry) =>
    Object.keys(entry.details).length === 1
      ? [ACTOR, ' gave a node the name ', node(entry)]
      : [ACTOR, ' changed ', node(entry), ...changesOf(entry.details, 'node')],
  'node.approve': did('approved'),
  'node.disable': did('disabled'),
  'node.revoke': did('revoked', () => [': every peer drops it']),
  'node.delete': (entry) =>
    entry.details.ephemeral === true
      ? [node(entry), ' was gone for too long and was deleted: it is ephemeral']
      : [ACTOR, ' deleted ', node(entry)],
  'node.expire': (entry) => ['The key of ', node(entry), ' expired'],
  'node.key-expiring': ({ details, ...entry }) => [
    'The key of ',
    node({ details, ...entry }),
    ` is about to expire${expiry(details.keyExpiresAt).replace(', until', ', at')}`,
  ],
  'node.extend': (entry) => [ACTOR, ' extended the key of ', node(entry), expiry(entry.details.keyExpiresAt)],
  'node.rotate-key': (entry) => [
    node(entry),
    ' has another key',
    entry.details.compromised === true ? ': the one before was compromised' : '',
  ],
  'node.request-rotation': did('asked for another key of'),
  'node.end-key-overlap': (entry) => ['The former key of ', node(entry), ' is no longer accepted'],
  'node.clone': ({ details, ...entry }) => [
    'A second copy of ',
    node({ details, ...entry }),
    ' was noticed',
    ...(textOf(details.from) ? [', from ', code(textOf(details.from)!)] : []),
  ],
  'node.clone-seen': did('dismissed the warning of a second copy of'),
  'config-key.create': did('made a config key for'),
  'config-key.delete': did('took away the config key of'),
  'preshared-key.set': (entry) => [ACTOR, ' set a preshared key between ', node(entry), ' and ', peer(entry)],
  'preshared-key.delete': (entry) => [
    ACTOR,
    ' took away the preshared key between ',
    node(entry),
    ' and ',
    peer(entry),
  ],
  'bounce.withdraw': (entry) => ['The bounce ', node(entry), ' does not answer: members are homed elsewhere'],
  'bounce.restore': (entry) => ['The bounce ', node(entry), ' answers again'],
};

const peer = ({ details }: AuditEntry): Part => ({ is: 'node', id: textOf(details.peer) ?? 'unknown' });

const NETWORKS: Readonly<Record<string, Say>> = {
  'network.create': (entry) => [ACTOR, ' made the network ', network(entry), ...listed(textsOf(entry.details.cidrs))],
  'network.update': (entry) => [ACTOR, ' changed the network ', network(entry), ...changesOf(entry.details, 'network')],
  'network.delete': (entry) => [ACTOR, ' deleted the network ', network(entry)],
  'network.import': (entry) => [
    ACTOR,
    ` imported ${plural(textsOf(entry.details.nodes).length, 'node')} into the network `,
    network(entry),
  ],
  'network.reserve': ({ details, ...entry }) => [
    ACTOR,
    ' reserved',
    ...listed(textsOf([details.prefix])),
    textOf(details.name) ? ` for ${textOf(details.name)}` : '',
    ' in ',
    network({ details, ...entry }),
  ],
  'network.unreserve': ({ details, ...entry }) => [
    ACTOR,
    ' released the reservation of',
    ...listed(textsOf([details.prefix])),
    ' in ',
    network({ details, ...entry }),
  ],
  'network.renumber': ({ details, ...entry }) => [
    ACTOR,
    ' renumbered ',
    network({ details, ...entry }),
    ' from',
    ...listed(textsOf((details.from as { cidrs?: unknown } | undefined)?.cidrs)),
    ' to',
    ...listed(textsOf((details.to as { cidrs?: unknown } | undefined)?.cidrs)),
    ` (${plural(Number(details.nodes) || 0, 'node')})`,
  ],
};

const CONTROL: Readonly<Record<string, Say>> = {
  'token.create': (entry) => [ACTOR, ` made ${token(entry)}`, expiry(entry.details.expiresAt)],
  'token.revoke': ({ subject, details }) => [
    ACTOR,
    ' revoked the join token ',
    ...(textOf(details.name) ? [`“${textOf(details.name)}”`] : [code(subject.slice(0, 8))]),
  ],
  'apikey.create': ({ subject, details }) => [
    ACTOR,
    ' made the API key ',
    { is: 'key', id: subject, name: textOf(details.name) },
    ' with',
    ...listed(textsOf(details.scopes)),
  ],
  'apikey.delete': ({ subject, details }) => [
    ACTOR,
    ' revoked the API key ',
    { is: 'key', id: subject, name: textOf(details.name) },
  ],
  'signal-server.enroll': ({ details }) => [`A signal server enrolled in region${named(details.region)}`],
  'signal-server.delete': ({ details }) => [ACTOR, ` removed a signal server of region${named(details.region)}`],
  'signal-token.create': ({ details }) => [
    ACTOR,
    ` made a token for a signal server in region${named(details.region)}`,
  ],
  'signal-token.revoke': ({ details }) => [
    ACTOR,
    ` revoked a token for a signal server in region${named(details.region)}`,
  ],
  'session.sign-in': ({ details }) => [
    ACTOR,
    ' signed in',
    ...(textOf(details.address) ? [' from ', code(textOf(details.address)!)] : []),
  ],
  'session.sign-in-failed': ({ subject, details }) => [
    `Somebody failed to sign in as “${subject}”`,
    ...(textOf(details.address) ? [' from ', code(textOf(details.address)!)] : []),
  ],
  'session.sign-out': () => [ACTOR, ' signed out'],
  'session.end': () => [ACTOR, ' ended a session'],
  'sign-in-link.create': () => [ACTOR, ' made a sign-in link'],
  'user.set-password': ({ subject }) => [ACTOR, ` set the password of “${subject}”`],
};

const SAYINGS: Readonly<Record<string, Say>> = { ...NODES, ...NETWORKS, ...CONTROL };

/** What happened, for people. An action that this page does not know is named as it is. */
export const sentenceOf = (entry: AuditEntry): readonly Part[] =>
  SAYINGS[entry.action]?.(entry) ?? [
    ACTOR,
    ': ',
    code(entry.action),
    ' ',
    code(textOf(entry.details.name) ?? entry.subject),
  ];

/** Every action that has a sentence, for a filter. */
export const ACTIONS: readonly string[] = Object.keys(SAYINGS).sort();
