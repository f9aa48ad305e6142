import type { DataPlanePathReport, PathsReport } from '@warren/dataplane';
import type { CandidateReport, NatKind } from '@warren/paths';
import type { AcceptedPeer } from '../codec/domain.js';
import { rounded } from './agent-path.js';
import type { CandidateStatus, Explanation, NatStatus, PeerStatus, ServerStatus } from './status-types.js';

/** What an explanation is made of. */
export interface ExplanationFacts {
  readonly peer: AcceptedPeer;
  readonly status: PeerStatus;
  readonly paths: PathsReport | undefined;
  readonly nat: NatStatus;
}

/** Why the path to one node is what it is (`agent explain`). */
export function explain({ peer, status, paths, nat }: ExplanationFacts): Explanation {
  const report = paths?.peers.find(({ publicKey }) => publicKey === peer.publicKey);
  const servers = (paths?.servers ?? []).map(serverStatus);
  const names = new Map(servers.map(({ id, name }) => [id, name]));
  const { id, name, role, addresses, online, path } = status;
  return {
    node: { id, name, role, addresses, kind: peer.pathKey ? 'agent' : 'vanilla', online },
    path,
    why: why(status, peer, report),
    advice: advice(status, peer, report),
    candidates: (report?.candidates ?? []).map((candidate) => candidateStatus(candidate, report)),
    nat: { local: { mapping: nat.mapping, filtering: nat.filtering }, remote: natKind(report?.remoteNat) },
    homes: {
      local: homesOf(paths),
      remote: (report?.remoteHomes ?? []).map((server) => names.get(server) ?? server),
    },
    servers,
  };
}

/** Names of the signal servers where we are registered, the nearest first. */
export const homesOf = (paths: PathsReport | undefined): string[] =>
  (paths?.servers ?? [])
    .filter((server) => server.registered)
    .sort((a, b) => Number(b.home) - Number(a.home))
    .map((server) => server.name);

const natKind = (kind: NatKind | undefined): Explanation['nat']['remote'] =>
  kind ? { mapping: kind.mapping, filtering: kind.filtering } : null;

/** One sentence without a full stop. */
function why({ path }: PeerStatus, peer: AcceptedPeer, report: DataPlanePathReport | undefined): string {
  if (path.kind !== 'direct') return path.reason ?? 'nothing is known';
  if (!peer.pathKey) return 'it is a vanilla member: its session answers at this address';
  const time = path.rttMs === null ? '' : ` in ${path.rttMs} ms`;
  const kind = report?.candidateKind;
  return kind ? `its ${kind} address answers${time}` : `this address answers${time}`;
}

/** What would make it direct; null where it is, and where something else is in the way. */
function advice({ path }: PeerStatus, peer: AcceptedPeer, report: DataPlanePathReport | undefined): string | null {
  if (path.kind === 'direct') return null;
  if (peer.via !== undefined)
    return 'run an agent on it; or, if others can reach it, make it a direct node with an endpoint';
  return path.reason === report?.reason ? (report?.advice ?? null) : null;
}

function candidateStatus(candidate: CandidateReport, report: DataPlanePathReport | undefined): CandidateStatus {
  const { kind, endpoint, result, probes } = candidate;
  // The same address may be known twice, by way of two of our sockets.
  const used = report?.path?.kind === 'udp' && report.path.endpoint === endpoint && report.candidateKind === kind;
  return { kind, endpoint, result, rttMs: rounded(candidate.rttMs), probes, used };
}

/** One signal server as the data plane sees it. */
export function serverStatus(server: PathsReport['servers'][number]): ServerStatus {
  const { id, name, registered, transport, home, rttMs, reflexive, failure } = server;
  return {
    id,
    name,
    registered,
    transport: transport ?? null,
    home,
    rttMs: rounded(rttMs),
    reflexive: reflexive ?? null,
    failure: failure ?? null,
  };
}
