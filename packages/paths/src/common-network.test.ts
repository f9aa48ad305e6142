import type { Endpoint } from '@warren/base';
import { expect, it } from 'vitest';
import { mayShareNetwork } from './common-network.js';
import type { Candidate, CandidateKind } from './path-manager-api.js';

const candidate = (kind: CandidateKind, endpoint: string): Candidate => ({ kind, endpoint: endpoint as Endpoint });
const host = (endpoint: string): Candidate => candidate('host', endpoint);
const reflexive = (endpoint: string): Candidate => candidate('server-reflexive', endpoint);

it.each([
  ['one /24', [host('192.168.1.2:1')], [host('192.168.1.3:1')], true],
  ['another /24', [host('192.168.1.2:1')], [host('192.168.2.3:1')], false],
  ['one public address', [reflexive('203.0.113.1:1')], [reflexive('203.0.113.1:2')], true],
  ['neighbouring public addresses', [reflexive('203.0.113.1:1')], [reflexive('203.0.113.2:1')], false],
  ['IPv6 on both', [host('[2001:db8::1]:1')], [host('[2001:db8:1::1]:1')], true],
  ['IPv6 on one', [host('[2001:db8::1]:1')], [host('10.0.0.1:1')], false],
  ['nothing', [], [], false],
])('%s: %#', (_name, ours, theirs, expected) => {
  expect(mayShareNetwork(ours, theirs)).toBe(expected);
  expect(mayShareNetwork(theirs, ours)).toBe(expected);
});
