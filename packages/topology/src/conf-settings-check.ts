import { parseIpAddress } from '@warren/base';
import type { ConfSettings } from './conf-settings.js';
import { isConfText } from './wg-quick.js';

/** A change of settings: what is absent stays, null goes back to the default. */
export type ConfSettingsPatch = { readonly [Key in keyof ConfSettings]?: ConfSettings[Key] | null | undefined };

/** The keys that hold commands, in the order in which wg-quick runs them. */
export const HOOKS = ['preUp', 'postUp', 'preDown', 'postDown'] as const;
/** A command of a file, which wg-quick runs on the member; we never run one. */
export interface ConfHook {
  readonly when: (typeof HOOKS)[number];
  readonly command: string;
}

const MAX_COMMANDS = 16;
/** Characters. */
export const MAX_COMMAND_LENGTH = 1024;
const MAX_DNS = 16;
/** One label, or several: resolvers take search domains of one. */
const DOMAIN = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;

/** Settings after a change; a new object, without keys that have no value. Whether they are good is not looked at. */
export function mergeConfSettings(held: ConfSettings, patch: ConfSettingsPatch): ConfSettings {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  const merged = Object.entries({ ...held, ...Object.fromEntries(given) });
  return Object.fromEntries(merged.filter(([, value]) => !isDefault(value))) as ConfSettings;
}

/** What is in force for a node: its own settings over those of its network. */
export const effectiveSettings = (network: ConfSettings | undefined, node: ConfSettings | undefined): ConfSettings => ({
  ...network,
  ...node,
});

/** The commands that settings put into a file, in the order in which wg-quick runs them. */
export const hooksOf = (settings: ConfSettings): ConfHook[] =>
  HOOKS.flatMap((when) => (settings[when] ?? []).map((command) => ({ when, command })));

/** Why settings cannot be kept; undefined: they can. Every value ends up in a file that holds shell commands. */
export function confSettingsProblem(settings: ConfSettings, of: 'network' | 'node'): string | undefined {
  if (of === 'network' && settings.listenPort !== undefined) return 'listenPort is a setting of nodes, not of networks';
  for (const [key, value] of Object.entries(settings)) {
    const rule = RULES[key as keyof ConfSettings];
    if (!rule) return `${key.slice(0, 40)} is no setting`;
    const expected = rule(value);
    if (expected !== undefined) return `${key} must be ${expected}`;
  }
  return undefined;
}

/** @returns what the value should have been, when it is not. */
type Rule = (value: unknown) => string | undefined;

const whole =
  (least: number, most: number): Rule =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
      ? undefined
      : `a whole number of ${least} to ${most}`;

const command: Rule = (value) =>
  typeof value === 'string' && value.length <= MAX_COMMAND_LENGTH && isConfText(value) && !value.includes('#')
    ? undefined
    : `one line of printable text of at most ${MAX_COMMAND_LENGTH} characters, without # (wg-quick would cut it there)`;

const commands: Rule = (value) => {
  if (!Array.isArray(value) || value.length > MAX_COMMANDS) return `at most ${MAX_COMMANDS} commands`;
  return value.map(command).find((expected) => expected !== undefined);
};

const dns: Rule = (value) => {
  const isGood = (item: unknown): boolean =>
    typeof item === 'string' && (parseIpAddress(item) !== undefined || DOMAIN.test(item));
  const few = Array.isArray(value) && value.length <= MAX_DNS;
  return few && value.every(isGood) ? undefined : `at most ${MAX_DNS} addresses of resolvers and search domains`;
};

const table: Rule = (value) => {
  const isNumber = typeof value === 'string' && /^\d{1,10}$/.test(value) && Number(value) < 2 ** 32;
  return value === 'off' || value === 'auto' || isNumber ? undefined : 'off, auto or a number below 4294967296';
};

const RULES: Readonly<Record<keyof ConfSettings, Rule>> = {
  dns,
  table,
  // RFC 8200 §5: IPv6 needs 1280.
  mtu: whole(1280, 9000),
  listenPort: whole(1, 65_535),
  fwMark: whole(0, 2 ** 32 - 1),
  saveConfig: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
  preUp: commands,
  postUp: commands,
  preDown: commands,
  postDown: commands,
  persistentKeepalive: whole(0, 65_535),
  privateKeyCommand: command,
};

const isDefault = (value: unknown): boolean => value === null || (Array.isArray(value) && value.length === 0);
