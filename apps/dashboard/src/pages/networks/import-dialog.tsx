import { useState } from 'react';
import { Dialog } from '../../ui/dialog.js';
import { TextField } from '../../ui/field.js';
import { ImportPanel } from './import-panel.js';

/** A new network of the wg-quick files of one that runs. */
export const ImportDialog = ({ open, onClose }: { open: boolean; onClose: () => void }) => (
  <Dialog
    open={open}
    onClose={onClose}
    wide
    title="Import a WireGuard network"
    description="Makes a network with all members that wg-quick files describe. Keys stay as they are, so hosts that are not touched keep working."
  >
    <NamedImport />
  </Dialog>
);

function NamedImport() {
  const [name, setName] = useState('');
  return (
    <div className="flex flex-col gap-4">
      <TextField
        label="Name of the network"
        hint="Made if there is none of that name; one that is there must have no members."
        value={name}
        autoComplete="off"
        onChange={(event) => setName(event.target.value)}
      />
      <ImportPanel name={name.trim().toLowerCase()} />
    </div>
  );
}
