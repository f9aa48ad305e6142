import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WarrenError } from '@warren/base';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Absolute path of `warren` or `agent` as a user of this checkout has it. @throws WarrenError `not-built`. */
export function meshProgram(name: 'warren' | 'agent'): string {
  const path = join(ROOT, 'node_modules/.bin', name);
  if (!existsSync(path))
    throw new WarrenError('not-built', `${path} is missing: run \`npm test\` or \`npm run demo\` once`);
  return path;
}
