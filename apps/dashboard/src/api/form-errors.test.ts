import { WarrenProblem } from '@warren/client';
import { beforeAll, describe, expect, it, vi } from 'vitest';

/** The client reads where it is when it is loaded. */
let formErrors: typeof import('./form-errors.js').formErrors;
beforeAll(async () => {
  vi.stubGlobal('window', { location: { origin: 'http://localhost' } });
  ({ formErrors } = await import('./form-errors.js'));
});

const refusal = (code: string, message: string, errors: { path: string; message: string }[] = []) =>
  new WarrenProblem(code, message, 400, errors);

describe('what a refusal says of a form', () => {
  it('goes to the field that the path names, with the line of a list', () => {
    const error = refusal('bad-request', 'all of it', [
      { path: 'body.cidrs.1', message: 'must be a prefix' },
      { path: 'body.settings.dns', message: 'is too long' },
      { path: 'body.other', message: 'is unknown' },
    ]);
    const { fields, rest } = formErrors(error, ['cidrs', 'dns']);
    expect(fields).toEqual({ cidrs: 'line 2: must be a prefix', dns: 'is too long' });
    expect(rest).toEqual(new Error('body.other: is unknown'));
  });

  it('goes to the field that its code is about', () => {
    const { fields, rest } = formErrors(refusal('name-taken', 'the name is in use'), ['name', 'mtu']);
    expect([fields, rest]).toEqual([{ name: 'the name is in use' }, undefined]);
  });

  it('goes to the field with which the message begins, without its name', () => {
    const { fields } = formErrors(refusal('bad-request', 'dns must be a list'), ['table', 'dns']);
    expect(fields).toEqual({ dns: 'must be a list' });
  });

  it('goes to the field that is meant otherwise, if it is about the request', () => {
    expect(formErrors(refusal('bad-request', 'not within it'), ['prefix', 'note'], 'prefix').fields).toEqual({
      prefix: 'not within it',
    });
    const full = refusal('too-many-reservations', 'there are too many');
    expect(formErrors(full, ['prefix', 'note'], 'prefix')).toEqual({ fields: {}, rest: full });
  });

  it('stays whole where it is about no field', () => {
    const lost = new TypeError('Failed to fetch');
    expect(formErrors(lost, ['name'])).toEqual({ fields: {}, rest: lost });
    expect(formErrors(undefined, ['name'])).toEqual({ fields: {}, rest: undefined });
  });
});
