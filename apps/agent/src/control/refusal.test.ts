import { status as Status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { translateCallError } from './refusal.js';

const failed = (details: string): Error => Object.assign(new Error(details), { code: Status.UNAVAILABLE, details });

describe('a call that failed', () => {
  it.each([
    'self-signed certificate in certificate chain',
    'unable to verify the first certificate',
    'unable to get local issuer certificate',
    "Hostname/IP does not match certificate's altnames: Host: control.warren.internal. is not cert's CN",
  ])('because another control plane answers says so: %s', (words) => {
    const error = translateCallError(
      failed(`No connection established. Last error: Error: ${words}. Resolution note: `),
      '192.0.2.1:8443',
    );
    expect(error).toMatchObject({ code: 'pin-mismatch' });
    expect(error.message).toContain('192.0.2.1:8443 answers another control plane');
  });

  it.each(['certificate has expired', 'certificate is not yet valid'])('for dates names the clock: %s', (words) => {
    expect(translateCallError(failed(words), 'a:1')).toMatchObject({ code: 'clock-wrong' });
  });

  it('because nobody answers is not reached', () => {
    expect(translateCallError(failed('connect ECONNREFUSED'), 'a:1')).toMatchObject({ code: 'control-unreachable' });
  });
});
