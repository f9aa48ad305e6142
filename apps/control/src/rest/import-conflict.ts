import { WarrenError } from '@warren/base';
import type { ImportNote } from '@warren/topology';

/** Files that contradict each other; a problem of it lists all conflicts. */
export class ConflictingFiles extends WarrenError {
  readonly errors: readonly { readonly path: string; readonly message: string }[];

  constructor(report: readonly ImportNote[]) {
    const conflicts = report.filter(({ level }) => level === 'conflict');
    const [first] = conflicts;
    const more = conflicts.length > 1 ? ` (and ${conflicts.length - 1} more)` : '';
    super('import-conflict', `nothing was imported: ${first ? `${placeOf(first)}: ${first.message}` : ''}${more}`);
    this.errors = conflicts.map((note) => ({ path: placeOf(note), message: note.message }));
  }
}

/** `laptop.conf:12` */
const placeOf = ({ file, line }: ImportNote): string =>
  file === undefined ? 'files' : line === undefined ? file : `${file}:${line}`;
