import type { DataPlanePathReport } from '@warren/dataplane';
import type { PathStatus } from './status-types.js';

/** What else is known about an agent whose path is described. */
export interface AgentPathFacts {
  /** Names of signal servers by id. */
  readonly serverNames: ReadonlyMap<string, string>;
  /** Whether any signal server answers us. */
  readonly registered: boolean;
  /** Whether the session can still carry packets. */
  readonly sessionFresh: boolean;
  /** Of the last `agent ping`, while it says something. */
  readonly lastPingMs: number | null;
}

/**
 * The path to an agent as `agent status` shows it: what the data plane uses, as long as something authenticated came over
 * it or the session lives; else `none`.
 */
export function agentPath(report: DataPlanePathReport, facts: AgentPathFacts): Omit<PathStatus, 'since'> {
  const { path, proven } = report;
  const rttMs = rounded(report.rttMs) ?? facts.lastPingMs;
  if (!path || !(proven || facts.sessionFresh)) {
    return { kind: 'none', endpoint: null, via: null, transport: null, rttMs: null, reason: whyNone(report, facts) };
  }
  if (path.kind === 'udp') {
    return { kind: 'direct', endpoint: path.endpoint, via: null, transport: 'udp', rttMs, reason: null };
  }
  const via = facts.serverNames.get(path.server) ?? path.server;
  const reason = report.reason ?? 'no direct path has answered yet';
  return { kind: 'relay', endpoint: null, via, transport: path.transport, rttMs, reason };
}

/** The report says why the path is not direct. That it is silent has another reason, unless it was never there. */
function whyNone({ path, reason, remoteNat }: DataPlanePathReport, { registered }: AgentPathFacts): string {
  const wasThere = path !== undefined && remoteNat !== undefined;
  if (wasThere && registered) return 'nothing was heard from it lately: the next packet looks for it anew';
  return reason ?? (path ? 'nothing was heard from it lately' : 'no path was found yet');
}

/** Milliseconds to three decimals. */
export const rounded = (milliseconds: number | undefined): number | null =>
  milliseconds === undefined ? null : Math.round(milliseconds * 1000) / 1000;
