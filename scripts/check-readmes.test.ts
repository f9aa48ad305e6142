import { describe, expect, it } from 'vitest';
// @ts-expect-error: the scripts run on bare Node and have no types
import { extractExamples, extractLinks, headingSlugs } from './check-readmes.mjs';

describe('examples in a README', () => {
  it('are the ts blocks, each line in its place', () => {
    const markdown = ['# x', '```ts', 'const a = 1;', 'a;', '```', '```sh', 'ls', '```', '```ts', '```'].join('\n');
    expect(extractExamples(markdown)).toEqual(['\n\nconst a = 1;\na;', '\n'.repeat(8)]);
  });

  it('take what a comment before them gives, and the next example does not', () => {
    const markdown = ['<!-- ts', 'declare const a: 1;', '-->', '```ts', 'a;', '```', '```ts', 'b;', '```'].join('\n');
    expect(extractExamples(markdown)).toEqual(['\ndeclare const a: 1;\n\n\na;', `${'\n'.repeat(7)}b;`]);
  });
});

describe('links in a document', () => {
  it('are found in text, images and definitions, with their line', () => {
    const markdown = 'see [a](a.md) and ![b](b.png "title")\n\n[c]: c.md#part';
    expect(extractLinks(markdown)).toEqual([
      { target: 'a.md', line: 1 },
      { target: 'b.png', line: 1 },
      { target: 'c.md#part', line: 3 },
    ]);
  });

  it('are not looked for in code', () => {
    expect(extractLinks('`[a](a.md)`\n```\n[b](b.md)\n```\n[c](c.md)')).toEqual([{ target: 'c.md', line: 5 }]);
  });
});

describe('anchors of headings', () => {
  it('drop punctuation and number what is repeated', () => {
    expect([...headingSlugs('# What `a` is\n## Ports, to open\n## What a is\n```\n# no\n```')]).toEqual([
      'what-a-is',
      'ports-to-open',
      'what-a-is-1',
    ]);
  });
});
