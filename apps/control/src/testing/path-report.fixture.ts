import { PathKind, type PathReport, type PeerReport } from '@warren/proto';

/** What an agent says of one peer; of a direct path over IPv4 unless said otherwise. */
export const peerReport = (nodeId: string, change: Partial<PeerReport> = {}): PeerReport => ({
  ...{ nodeId, kind: PathKind.PATH_KIND_DIRECT, lan: false, tls: false, endpoint: '203.0.113.5:51820', via: '' },
  ...{ rttUs: 12_340, sinceMs: 1_700_000_000_000, reason: '', lastHandshakeMs: 0, rxBytes: 0, txBytes: 0 },
  ...change,
});

export const relayed = (nodeId: string, change: Partial<PeerReport> = {}): PeerReport =>
  peerReport(nodeId, {
    ...{ kind: PathKind.PATH_KIND_RELAY, endpoint: '', via: 'eu', tls: true, reason: 'both map by address' },
    ...change,
  });

export const pathReport = (peers: readonly PeerReport[], change: Partial<PathReport> = {}): PathReport => ({
  ...{ complete: false, peers: [...peers], nat: undefined, rxBytes: 0, txBytes: 0, atMs: 0 },
  ...change,
});
