// Documents are checked as code is: the examples in package READMEs compile, and relative links lead somewhere.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { env, root } from './bootstrap.mjs';

/** Made inside the package, so that its own name and its dependencies resolve as they do for its sources. Ignored by git. */
const SCRATCH = '.readme';

/** Examples show how something is called, so an unused result is no error in them; all else is as strict as the sources. */
const EXAMPLE_OPTIONS = {
  noEmit: true,
  declaration: false,
  declarationMap: false,
  sourceMap: false,
  moduleDetection: 'force',
  noUnusedLocals: false,
  noUnusedParameters: false,
};

/** Type-checks every ```ts block of each package's README.md inside that package; each block stands for itself. */
export function checkReadmes() {
  return readdirSync(join(root, 'packages')).flatMap((name) => {
    const folder = join(root, 'packages', name);
    const readme = join(folder, 'README.md');
    if (!existsSync(readme))
      return existsSync(join(folder, 'package.json')) ? [`packages/${name} has no README.md`] : [];
    return compileExamples(folder, extractExamples(readFileSync(readme, 'utf8')));
  });
}

/**
 * The ```ts blocks of a document, as lines in their places: empty before the block, so that what the compiler calls line
 * 12 is line 12 of the document. A comment `<!-- ts … -->` before a block is not shown to readers and is compiled with
 * it: imports, and `declare const` for what the example takes as given.
 */
export function extractExamples(markdown) {
  const examples = [];
  let given = new Map();
  let open;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (open === 'given') {
      if (/^\s*-->\s*$/.test(line)) open = undefined;
      else given.set(index, line);
    } else if (open && /^\s*```\s*$/.test(line)) {
      examples.push(Array.from({ length: index }, (_, i) => open.get(i) ?? '').join('\n'));
      given = new Map();
      open = undefined;
    } else if (open) open.set(index, line);
    else if (/^\s*<!-- ts\s*$/.test(line)) open = 'given';
    else if (/^\s*```ts\s*$/.test(line)) open = given;
  }
  return examples;
}

function compileExamples(folder, examples) {
  if (examples.length === 0) return [];
  const scratch = join(folder, SCRATCH);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch);
  try {
    const files = examples.map((code, index) => {
      const file = `example-${index + 1}.ts`;
      writeFileSync(join(scratch, file), `${code}\n`);
      return file;
    });
    const config = { extends: '../../../tsconfig.base.json', compilerOptions: EXAMPLE_OPTIONS, files };
    writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(root, 'node_modules/.bin/tsc');
    const { status, stdout, stderr } = spawnSync(tsc, ['-p', scratch, '--pretty', 'false'], {
      cwd: scratch,
      env,
      encoding: 'utf8',
    });
    if (status === 0) return [];
    const readme = relative(root, join(folder, 'README.md'));
    const text = `${stdout}${stderr}`.trim().replace(/\b(?:[\w./-]*\/)?example-\d+\.ts/g, readme);
    return text ? text.split('\n') : [`${readme}: tsc ended with ${status} and said nothing`];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Every relative link in a document of ours leads to a file that exists, and to a heading in it where it names one. */
export function checkLinks() {
  return documents(root).flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    return extractLinks(text).flatMap(({ target, line }) => {
      const problem = brokenLink(path, text, target);
      return problem ? [`${relative(root, path)}:${line}: ${target}: ${problem}`] : [];
    });
  });
}

/** Targets of `[text](target)`, images, and `[label]: target`, outside code. */
export function extractLinks(markdown) {
  const links = [];
  for (const [index, line] of withoutCode(markdown).split('\n').entries()) {
    const inline = line.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g);
    const definition = line.matchAll(/^\s{0,3}\[[^\]]+\]:\s+<?([^\s>]+)>?/g);
    for (const [, target] of [...inline, ...definition]) links.push({ target, line: index + 1 });
  }
  return links;
}

/** What forges make of a heading: lower case, punctuation dropped, spaces to hyphens; a repeated one gets a number. */
export function headingSlugs(markdown) {
  const seen = new Map();
  const slugs = new Set();
  for (const [, heading] of withoutFences(markdown).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    slugs.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return slugs;
}

/** @returns why the link leads nowhere, or undefined. */
function brokenLink(path, text, target) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return undefined;
  const [file, anchor] = target.split('#');
  if (file?.startsWith('/')) return 'an absolute path is another place on each machine: link relative to the document';
  const found = file ? resolve(dirname(path), decodeURIComponent(file)) : path;
  if (!found.startsWith(root)) return 'leads out of the repository';
  if (!existsSync(found)) return 'does not exist';
  if (!anchor || !found.endsWith('.md') || statSync(found).isDirectory()) return undefined;
  const slugs = headingSlugs(found === path ? text : readFileSync(found, 'utf8'));
  return slugs.has(anchor) ? undefined : `no heading there is #${anchor}`;
}

/** Lines stay where they are, so that problems carry their number. */
const withoutFences = (markdown) =>
  markdown.replace(/^(\s*)(```+|~~~+)[\s\S]*?^\s*\2\s*$/gm, (block) => block.replace(/[^\n]/g, ''));
const withoutCode = (markdown) => withoutFences(markdown).replace(/(`+)[^`\n]+\1/g, '');

const SKIPPED = new Set(['node_modules', 'dist', 'gen', 'test-results']);

function documents(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) || entry.name.startsWith('.') ? [] : documents(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}
