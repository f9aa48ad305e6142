import { FileCheck, FileUp, FileX, Trash2 } from 'lucide-react';
import { type DragEvent, useId, useState } from 'react';
import { IconButton } from '../../ui/button.js';
import { cx } from '../../ui/class-names.js';
import { Input } from '../../ui/field.js';
import { type PickedFile, readFiles } from './import-files.js';

/** wg-quick files of hosts; private keys are taken out here, before anything is sent. */
export function FilePicker({
  files,
  onChange,
}: {
  files: readonly PickedFile[];
  onChange: (files: readonly PickedFile[]) => void;
}) {
  const id = useId();
  const [over, setOver] = useState(false);
  const add = async (list: FileList | null): Promise<void> =>
    onChange([...files, ...(await readFiles([...(list ?? [])]))]);
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void add(event.dataTransfer.files);
  };
  return (
    <div className="flex flex-col gap-3">
      <label
        htmlFor={id}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
        className={cx(
          'flex cursor-pointer flex-col items-center gap-1 rounded-xl border border-line-strong border-dashed px-4 py-6 text-center focus-within:outline-2 focus-within:outline-accent hover:bg-sunken',
          over && 'bg-accent-soft',
        )}
      >
        <FileUp aria-hidden size={24} className="text-muted" />
        <span className="font-medium">Choose wg-quick files, or drop them here</span>
        <span className="text-muted text-sm">
          One of each host. Private keys are taken out on this page, before anything is sent.
        </span>
        <input
          id={id}
          type="file"
          multiple
          accept=".conf,text/plain"
          className="sr-only"
          onChange={(event) => {
            void add(event.target.files);
            // The same file can be chosen again once it was mended.
            event.target.value = '';
          }}
        />
      </label>
      {files.length > 0 && (
        <ul aria-label="Files" className="flex flex-col gap-2">
          {files.map((file) => (
            <FileRow
              key={file.id}
              file={file}
              onRename={(name) => onChange(files.map((each) => (each.id === file.id ? { ...each, name } : each)))}
              onRemove={() => onChange(files.filter((each) => each.id !== file.id))}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

/** The name can be changed: many hosts call their file wg0.conf. */
function FileRow({
  file,
  onRename,
  onRemove,
}: {
  file: PickedFile;
  onRename: (name: string) => void;
  onRemove: () => void;
}) {
  const Icon = file.problem === undefined ? FileCheck : FileX;
  const state = file.problem ?? (file.hadPrivateKey ? 'private key taken out' : 'no private key in it');
  return (
    <li className="flex items-start gap-2">
      <Icon
        aria-hidden
        size={20}
        className={cx('mt-2.5 shrink-0', file.problem === undefined ? 'text-good' : 'text-bad')}
      />
      <div className="min-w-0 grow">
        <Input
          aria-label={`Name of the file ${file.name}, which may name the node`}
          className="mono"
          value={file.name}
          onChange={(event) => onRename(event.target.value)}
        />
        <p
          className={cx('text-sm', file.problem === undefined ? 'text-muted' : 'text-bad')}
          role={file.problem && 'alert'}
        >
          {state}
        </p>
      </div>
      <IconButton label={`Remove ${file.name}`} onClick={onRemove}>
        <Trash2 aria-hidden size={17} />
      </IconButton>
    </li>
  );
}
