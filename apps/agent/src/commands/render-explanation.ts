import type { Explanation } from '../daemon/status-types.js';
import { natText } from './nat-text.js';
import { alignColumns, pathText, sinceText } from './render-status.js';

/** `agent explain` for people. */
export function renderExplanation(explanation: Explanation, now: Date): string {
  const { node, path, why, advice, nat, homes, candidates, servers } = explanation;
  const lines = [
    `node       ${node.name} (${node.role}${node.kind === 'vanilla' ? ', vanilla' : ''})  ${node.addresses.join('  ')}`,
    `path       ${path.kind === 'none' ? 'none' : pathText({ path })}${sinceText(path.since, now)}`,
    `why        ${why}`,
  ];
  if (advice) lines.push(`advice     ${advice}`);
  if (node.kind === 'vanilla') return lines.join('\n');
  lines.push(`NAT here   ${natText(nat.local)}`);
  lines.push(`NAT there  ${nat.remote ? natText(nat.remote) : 'not heard of yet'}`);
  lines.push(
    `homes      here ${homes.local.join(', ') || 'none'}; there ${homes.remote.join(', ') || 'not heard of yet'}`,
  );
  lines.push('', ...candidateTable(candidates), '', ...serverTable(servers));
  return lines.join('\n');
}

function candidateTable(candidates: Explanation['candidates']): string[] {
  if (candidates.length === 0) return ['no candidates: the node has not said where it might be reached'];
  const rows = candidates.map(({ kind, endpoint, result, rttMs, probes, used }) => [
    used ? '*' : '',
    kind,
    endpoint,
    result,
    rttMs === null ? '' : `${rttMs} ms`,
    String(probes),
  ]);
  return [alignColumns([['', 'CANDIDATE', 'ENDPOINT', 'RESULT', 'RTT', 'PROBES'], ...rows])];
}

function serverTable(servers: Explanation['servers']): string[] {
  if (servers.length === 0) return ['no signal servers: the control plane has named none'];
  const rows = servers.map(({ name, registered, transport, home, rttMs, reflexive, failure }) => [
    name,
    registered ? `registered (${transport})${home ? ', home' : ''}` : (failure ?? 'not registered'),
    rttMs === null ? '' : `${rttMs} ms`,
    reflexive ?? '',
  ]);
  return [alignColumns([['SIGNAL SERVER', 'STATE', 'RTT', 'SEES US AT'], ...rows])];
}
