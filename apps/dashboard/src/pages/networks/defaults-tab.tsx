import type { Versioned } from '../../api/versioned.js';
import { Checkbox, TextareaField, TextField } from '../../ui/field.js';
import { SettingsCard } from './form-parts.js';
import { linesOf, type NetworkChange, type NetworkSettings, numberProblem, useNetworkForm } from './network-form.js';

const LABELS = {
  persistentKeepalive: 'PersistentKeepalive',
  dns: 'DNS',
  mtu: 'MTU of files',
  table: 'Table',
  fwMark: 'FwMark',
  preUp: 'PreUp',
  postUp: 'PostUp',
  preDown: 'PreDown',
  postDown: 'PostDown',
  privateKeyCommand: 'Command that prints the private key',
  saveConfig: 'SaveConfig',
} as const;
type Field = Exclude<keyof typeof LABELS, 'saveConfig'>;
type Values = Readonly<Record<Field, string>> & { readonly saveConfig: boolean };

/** With the least and the most that each may be. */
const NUMBERS = [
  ['persistentKeepalive', 0, 65_535],
  ['mtu', 1280, 9000],
  ['fwMark', 0, 2 ** 32 - 1],
] as const;
const TEXTS = ['table', 'privateKeyCommand'] as const;
const HOOKS = ['preUp', 'postUp', 'preDown', 'postDown'] as const;

function read({ settings }: NetworkSettings): Values {
  const text = (value: number | string | undefined): string => (value === undefined ? '' : String(value));
  return {
    persistentKeepalive: text(settings.persistentKeepalive),
    dns: settings.dns?.join('\n') ?? '',
    mtu: text(settings.mtu),
    table: text(settings.table),
    fwMark: text(settings.fwMark),
    preUp: settings.preUp?.join('\n') ?? '',
    postUp: settings.postUp?.join('\n') ?? '',
    preDown: settings.preDown?.join('\n') ?? '',
    postDown: settings.postDown?.join('\n') ?? '',
    privateKeyCommand: text(settings.privateKeyCommand),
    saveConfig: settings.saveConfig ?? false,
  };
}

/** A command may hold commas: one a line only. */
const commandsOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

function write(values: Values, changed: ReadonlySet<keyof Values>): NetworkChange {
  const settings: Record<string, unknown> = {};
  for (const [key] of NUMBERS) settings[key] = values[key].trim() === '' ? null : Number(values[key]);
  for (const key of TEXTS) settings[key] = values[key].trim() || null;
  for (const key of HOOKS) settings[key] = commandsOf(values[key]);
  settings.dns = linesOf(values.dns);
  settings.saveConfig = values.saveConfig || null;
  const sent = Object.entries(settings).filter(([key]) => changed.has(key as keyof Values));
  return { settings: Object.fromEntries(sent) as NonNullable<NetworkChange['settings']> };
}

const check = (values: Values): { [field in Field]?: string | undefined } =>
  Object.fromEntries(
    NUMBERS.map(([key, least, most]) => {
      const text = values[key].trim();
      return [key, text === '' ? undefined : numberProblem(text, least, most)];
    }),
  );

/** What the files of vanilla members hold where the member has nothing of its own. */
export function DefaultsTab({ latest }: { latest: Versioned<NetworkSettings> }) {
  const form = useNetworkForm(latest, { read, write, check });
  const { values, set, errors } = form;
  const field = (key: Field) => ({
    label: LABELS[key],
    value: values[key],
    error: errors.fields[key],
    onChange: (event: { target: { value: string } }) => set(key, event.target.value),
  });
  return (
    <SettingsCard
      title="Defaults of files"
      lead="The files of vanilla members hold these, where a member has no setting of its own. Empty: left out of the file."
      networkId={latest.value.id}
      form={form as never}
      labels={LABELS}
    >
      <div className="grid items-start gap-4 md:grid-cols-2">
        <TextField
          {...field('persistentKeepalive')}
          inputMode="numeric"
          placeholder="25 for clients, off for others"
          hint="Seconds; 0 turns it off. Also for agents."
        />
        <TextField
          {...field('mtu')}
          inputMode="numeric"
          placeholder={String(latest.value.mtu)}
          hint="Only if files need another than the network's."
        />
        <TextareaField
          {...field('dns')}
          rows={2}
          placeholder="10.44.0.1"
          hint="Addresses of resolvers and search domains, one a line."
        />
        <TextField {...field('table')} placeholder="auto" hint="auto, off, or the number of a routing table." />
        <TextField
          {...field('fwMark')}
          inputMode="numeric"
          placeholder="off"
          hint="Mark of outgoing packets; 0 turns it off."
        />
        <div className="self-center">
          <Checkbox
            label={LABELS.saveConfig}
            hint="wg-quick writes the state of the interface back into the file when it goes down."
            checked={values.saveConfig}
            onChange={(event) => set('saveConfig', event.target.checked)}
          />
        </div>
      </div>
      <fieldset className="flex flex-col gap-3 rounded-xl border border-line p-4">
        <legend className="px-1 font-medium">Commands</legend>
        <p className="text-muted text-sm">
          Only written into files, for wg-quick to run on the member. Warren runs none of them, here or anywhere. One
          command a line; %i stands for the interface.
        </p>
        <div className="grid items-start gap-4 md:grid-cols-2">
          {HOOKS.map((key) => (
            <TextareaField key={key} {...field(key)} rows={2} />
          ))}
        </div>
        <TextField
          {...field('privateKeyCommand')}
          placeholder="pass show wireguard/%i"
          hint="The file then sets the key when the interface comes up, and has no PrivateKey line."
        />
      </fieldset>
    </SettingsCard>
  );
}
