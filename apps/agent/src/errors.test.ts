import { readFile } from 'node:fs/promises';
import { WarrenError } from '@warren/base';
import { describe, expect, it } from 'vitest';
import { describeError, exitCodeOf, RefusedError } from './errors.js';
import { createOutput, reportError } from './output.js';
import { VERSION } from './version.js';

describe('exit codes', () => {
  it.each([
    ['not-root', 1],
    ['no-tun', 1],
    ['port-in-use', 1],
    ['interface-taken', 1],
    ['lan-clash', 1],
    ['not-running', 1],
    ['usage', 2],
    ['token-invalid', 3],
    ['node-revoked', 3],
    ['node-removed', 3],
    ['node-expired', 3],
    ['control-unreachable', 4],
    ['pin-mismatch', 5],
  ])('%s is %i', (code, exitCode) => {
    expect(exitCodeOf(new WarrenError(code, 'x'))).toBe(exitCode);
  });

  it('are 3 for whatever the control plane refused, and 1 for what nobody foresaw', () => {
    expect(exitCodeOf(new RefusedError('some-new-code', 'no'))).toBe(3);
    expect(exitCodeOf(new TypeError('bug'))).toBe(1);
    expect(exitCodeOf('thrown text')).toBe(1);
  });
});

describe('a reported error', () => {
  const report = (error: unknown, json: boolean) => {
    const said = { out: [] as string[], err: [] as string[] };
    const streams = {
      out: (text: string) => void said.out.push(text),
      err: (text: string) => void said.err.push(text),
    };
    const code = reportError(error, json, streams);
    return { code, out: said.out.join(''), err: said.err.join('') };
  };

  it('is one line on stderr, also when its message has several', () => {
    const error = new WarrenError('lan-clash', 'first\n  second');
    expect(report(error, false)).toEqual({ code: 1, out: '', err: 'agent: first second\n' });
  });

  it('has no control characters, whoever put them into a name', () => {
    expect(report(new WarrenError('node-unknown', 'no node a\u001b[31mb\u0007'), false).err).toBe(
      'agent: no node a\ufffd[31mb\ufffd\n',
    );
  });

  it('is also an object on stdout with --json', () => {
    const { out } = report(new WarrenError('port-in-use', 'UDP port 1 is in use'), true);
    expect(JSON.parse(out)).toEqual({ error: { code: 'port-in-use', message: 'UDP port 1 is in use' } });
  });

  it('of the system says what to do about it', async () => {
    const error: unknown = await readFile('/no/such/file').catch((failure: unknown) => failure);
    expect(describeError(error).code).toBe('system-error');
    const denied = Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open', path: '/var/lib/warren' });
    expect(describeError(denied)).toMatchObject({ code: 'not-permitted' });
    expect(describeError(denied).message).toContain('/var/lib/warren');
  });
});

it('results are text for people and one line of JSON for programs', () => {
  const lines: string[] = [];
  const streams = { out: (text: string) => void lines.push(text), err: () => undefined };
  createOutput(false, streams).result({ a: 1 }, 'one');
  createOutput(true, streams).result({ a: 1 }, 'one');
  expect(lines).toEqual(['one\n', '{"a":1}\n']);
});

it('the version is that of the package', async () => {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  expect((JSON.parse(text) as { version: string }).version).toBe(VERSION);
});
