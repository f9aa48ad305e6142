import { useNavigate } from '@tanstack/react-router';
import type { Schemas } from '@warren/client';
import { useState } from 'react';
import { api, take } from '../../api/client.js';
import { useChange } from '../../api/mutation.js';
import { networksQuery, statusQuery } from '../../api/queries.js';
import { Button } from '../../ui/button.js';
import { TextareaField } from '../../ui/field.js';
import { plural } from '../../ui/format.js';
import { ErrorState } from '../../ui/states.js';
import { FilePicker } from './file-picker.js';
import type { PickedFile } from './import-files.js';
import { ImportPlan } from './import-plan.js';
import { linesOf } from './network-form.js';

type Plan = Schemas['Import'];

/** Files in, a look at what would become of them, then the network. @param name of the network; empty: none was given yet */
export function ImportPanel({ name }: { name: string }) {
  const [files, setFiles] = useState<readonly PickedFile[]>([]);
  const [cidrs, setCidrs] = useState('');
  const [endpoints, setEndpoints] = useState<Readonly<Record<string, string>>>({});
  const [previewed, setPreviewed] = useState<{ readonly plan: Plan; readonly input: string }>();
  const plan = previewed?.plan;
  const navigate = useNavigate();
  const send = (dryRun: boolean): Promise<Plan> => {
    const told = Object.entries(endpoints).filter(([, endpoint]) => endpoint.trim() !== '');
    const body = {
      files: files.map(({ name: file, text }) => ({ name: file.trim(), text })),
      dryRun,
      ...(cidrs.trim() !== '' && { cidrs: linesOf(cidrs) }),
      ...(told.length > 0 && { endpoints: Object.fromEntries(told.map(([node, text]) => [node, text.trim()])) }),
    };
    return take(api.POST('/api/v1/networks/{id}/import', { params: { path: { id: name } }, body }));
  };
  // What was looked at is what is imported: after a change one looks again.
  const input = JSON.stringify([name, files.map((file) => [file.id, file.name]), cidrs, endpoints]);
  const preview = useChange({
    change: async () => ({ plan: await send(true), input }),
    onDone: setPreviewed,
    quiet: true,
  });
  const importing = useChange({
    change: () => send(false),
    stale: [networksQuery.queryKey, statusQuery.queryKey, ['nodes'], ['addresses']],
    done: ({ network, nodes }) => `${plural(nodes.length, 'node')} imported into ${network}.`,
    onDone: ({ network }) => void navigate({ to: '/n/$network/nodes', params: { network }, search: {} }),
    quiet: true,
  });
  const bad = files.some(({ problem }) => problem !== undefined);
  const conflicts = plan?.report.some(({ level }) => level === 'conflict') ?? false;
  return (
    <div className="flex flex-col gap-4">
      <FilePicker files={files} onChange={setFiles} />
      {files.length > 0 && (
        <TextareaField
          label="Address ranges (optional)"
          rows={2}
          hint="One prefix a line. Empty: found in the files."
          value={cidrs}
          onChange={(event) => setCidrs(event.target.value)}
        />
      )}
      {preview.isError && <ErrorState error={preview.error} />}
      {plan && <ImportPlan plan={plan} endpoints={endpoints} onEndpoints={setEndpoints} />}
      {importing.isError && <ErrorState error={importing.error} />}
      <div className="flex flex-wrap items-center justify-end gap-2">
        {name === '' && files.length > 0 && <span className="text-muted text-sm">Give the network a name first.</span>}
        <Button
          tone={previewed?.input === input ? 'plain' : 'primary'}
          disabled={files.length === 0 || bad || name === ''}
          busy={preview.isPending}
          onClick={() => preview.mutate()}
        >
          {plan ? 'Preview again' : 'Preview'}
        </Button>
        {plan && (
          <Button
            tone="primary"
            disabled={conflicts || bad || previewed?.input !== input}
            busy={importing.isPending}
            onClick={() => importing.mutate()}
          >
            Import {plural(plan.nodes.length, 'node')}
          </Button>
        )}
      </div>
    </div>
  );
}
