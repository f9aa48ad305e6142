import type { Schemas } from '@warren/client';
import { HOOKS } from '@warren/topology';

type ConfSettings = Schemas['ConfSettings'];
type ConfSettingsChange = Schemas['ConfSettingsChangeInput'];

const NUMBERS = ['mtu', 'listenPort', 'fwMark', 'persistentKeepalive'] as const;
const TEXTS = ['table', 'privateKeyCommand'] as const;

/** Settings as they are typed; an empty text: as the network has it. */
export type ConfDraft = Readonly<
  Record<(typeof NUMBERS)[number] | (typeof TEXTS)[number] | (typeof HOOKS)[number] | 'dns', string>
> & { readonly saveConfig: boolean };

export const draftOf = (settings: ConfSettings): ConfDraft => ({
  dns: (settings.dns ?? []).join(', '),
  mtu: textOf(settings.mtu),
  listenPort: textOf(settings.listenPort),
  fwMark: settings.fwMark === undefined ? '' : `0x${settings.fwMark.toString(16)}`,
  persistentKeepalive: textOf(settings.persistentKeepalive),
  table: settings.table ?? '',
  privateKeyCommand: settings.privateKeyCommand ?? '',
  preUp: (settings.preUp ?? []).join('\n'),
  postUp: (settings.postUp ?? []).join('\n'),
  preDown: (settings.preDown ?? []).join('\n'),
  postDown: (settings.postDown ?? []).join('\n'),
  saveConfig: settings.saveConfig ?? false,
});

const textOf = (value: number | undefined): string => (value === undefined ? '' : String(value));

/** What a draft changes; null takes a setting back. A number that is none stays NaN, for the rules to refuse. */
export function changeOf(held: ConfSettings, draft: ConfDraft): ConfSettingsChange {
  const before = draftOf(held);
  const change: ConfSettingsChange = {};
  for (const key of NUMBERS) if (draft[key] !== before[key]) change[key] = numberOf(draft[key]);
  for (const key of TEXTS) if (draft[key] !== before[key]) change[key] = draft[key].trim() || null;
  for (const key of HOOKS) if (draft[key] !== before[key]) change[key] = listOf(draft[key], /\n/);
  if (draft.dns !== before.dns) change.dns = listOf(draft.dns, /[\s,]+/);
  if (draft.saveConfig !== before.saveConfig) change.saveConfig = draft.saveConfig || null;
  return change;
}

/** Also `0x77`, as marks are written. */
function numberOf(text: string): number | null {
  const trimmed = text.trim();
  return trimmed === '' ? null : Number(trimmed);
}

function listOf(text: string, between: RegExp): string[] | null {
  const items = text
    .split(between)
    .map((item) => item.trim())
    .filter(Boolean);
  return items.length === 0 ? null : items;
}
