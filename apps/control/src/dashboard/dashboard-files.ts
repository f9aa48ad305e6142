import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Where the build of `@warren/dashboard` lies, or would. */
export function dashboardFolder(): string {
  const manifest = createRequire(import.meta.url).resolve('@warren/dashboard/package.json');
  return join(dirname(manifest), 'dist');
}

/** Whether there is a page in it. */
export const isBuilt = (folder: string): boolean => existsSync(join(folder, 'index.html'));
