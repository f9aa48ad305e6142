import { confSettingsProblem, HOOKS, mergeConfSettings } from '@warren/topology';
import { type ChangeEvent, type FormEvent, useState } from 'react';
import { api, messageOf, take } from '../../api/client.js';
import type { Node } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { Checkbox, Field, Textarea, TextField } from '../../ui/field.js';
import { Card } from '../../ui/page.js';
import { type ConfDraft, changeOf, draftOf } from './conf-draft.js';
import { useNodeChange } from './node-changes.js';

const HOOK_NAMES = { preUp: 'PreUp', postUp: 'PostUp', preDown: 'PreDown', postDown: 'PostDown' } as const;

/** What the file of a vanilla member holds besides keys, addresses and peers. Empty: as the network has it. */
export function ConfSettingsCard({ node }: { node: Node }) {
  const [draft, setDraft] = useState<ConfDraft>();
  const save = useNodeChange<ReturnType<typeof changeOf>>(node, {
    change: (settings) =>
      take(api.PATCH('/api/v1/nodes/{id}', { params: { path: { id: node.id } }, body: { settings } })),
    patch: (settings) => ({ settings: mergeConfSettings(node.settings, settings) as Node['settings'] }),
    done: () => `Settings are kept: ${node.name} needs its new file`,
    onDone: () => setDraft(undefined),
    quiet: true,
  });
  const shown = draft ?? draftOf(node.settings);
  const change = changeOf(node.settings, shown);
  const changed = Object.keys(change).length > 0;
  const problem = changed ? confSettingsProblem(mergeConfSettings({}, change), 'node') : undefined;
  const bind = (key: Exclude<keyof ConfDraft, 'saveConfig'>) => ({
    value: shown[key],
    error: problem?.startsWith(`${key} `) ? problem : undefined,
    onChange: (event: ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      setDraft({ ...shown, [key]: event.target.value }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (changed && !problem) save.mutate(change);
  };
  return (
    <Card title="What the file holds">
      <form onSubmit={submit} className="flex flex-col gap-4">
        <p className="text-muted text-sm">Empty fields are as the network has them. The member needs its new file.</p>
        <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
          <TextField label="DNS" hint="Resolvers and search domains, with commas." {...bind('dns')} />
          <TextField label="MTU" inputMode="numeric" {...bind('mtu')} />
          <TextField
            label="Persistent keepalive"
            hint="Seconds; 0 is off."
            inputMode="numeric"
            {...bind('persistentKeepalive')}
          />
          <TextField label="Listen port" inputMode="numeric" {...bind('listenPort')} />
          <TextField label="Table" hint="off, auto or a number." {...bind('table')} />
          <TextField label="FwMark" hint="0 is off." {...bind('fwMark')} />
        </div>
        <fieldset className="flex flex-col gap-3">
          <legend className="font-medium">Commands</legend>
          <p className="text-muted text-sm">
            Written into the file and run by wg-quick on the member, one a line. Warren runs none of them.
          </p>
          <div className="grid gap-4 sm:grid-cols-2">
            {HOOKS.map((hook) => {
              const { error, ...field } = bind(hook);
              return (
                <Field key={hook} label={HOOK_NAMES[hook]} error={error}>
                  {(ids) => <Textarea rows={2} {...ids} {...field} />}
                </Field>
              );
            })}
          </div>
          <TextField
            label="Command that prints the private key"
            hint="The file then has no PrivateKey; wg-quick asks this command, on the member."
            {...bind('privateKeyCommand')}
          />
        </fieldset>
        <Checkbox
          label="SaveConfig"
          hint="wg-quick writes the file anew when it stops."
          checked={shown.saveConfig}
          onChange={(event) => setDraft({ ...shown, saveConfig: event.target.checked })}
        />
        {save.error && (
          <p role="alert" className="text-bad">
            {messageOf(save.error)}
          </p>
        )}
        <div className="flex flex-wrap justify-end gap-2">
          {changed && <Button onClick={() => setDraft(undefined)}>Undo</Button>}
          <Button type="submit" tone="primary" busy={save.isPending} disabled={!changed || problem !== undefined}>
            Keep settings
          </Button>
        </div>
      </form>
    </Card>
  );
}
