import type { PeerStatus, Status } from '../daemon/status-types.js';
import { natText } from './nat-text.js';

/** `agent status` for people. */
export function renderStatus(status: Status, now: Date): string {
  const { node, network, control, dataPlane, peers } = status;
  const lines = [`state      ${status.state}${status.message ? ` (${status.message})` : ''}`];
  if (node) lines.push(`node       ${node.name} (${node.role})  ${node.addresses.join('  ')}`);
  if (network) lines.push(`network    ${network.name}  ${network.cidrs.join('  ')}`);
  if (control) {
    const connection = control.connected ? 'connected' : 'not connected';
    lines.push(
      `control    ${control.url}  ${connection}${sinceText(control.since, now)}, revision ${control.revision}`,
    );
  }
  if (dataPlane) {
    const crypto = dataPlane.crypto ? `, ${dataPlane.crypto}, ${dataPlane.path}` : '';
    lines.push(
      `interface  ${dataPlane.interface}  UDP port ${dataPlane.listenPort}, MTU ${dataPlane.mtu}, ${dataPlane.backend}${crypto}`,
    );
  }
  if (status.agent.pid !== null) lines.push(`NAT        ${natLine(status.nat)}`);
  if (status.signalServer) lines.push(`signal     ${signalText(status.signalServer)}`);
  for (const { message } of status.warnings) lines.push(`warning    ${message}`);
  if (status.networks.length > 1) lines.push(`networks   ${status.networks.join(', ')} (choose with --network)`);
  const online = peers.filter((peer) => peer.online).length;
  if (node) lines.push(`peers      ${peers.length}, ${online} online`);
  return lines.join('\n');
}

/** `agent peers` for people: one line a peer, columns aligned. */
export function renderPeers(peers: readonly PeerStatus[]): string {
  if (peers.length === 0) return 'no peers';
  const rows = peers.map((peer) => [
    peer.name,
    peer.role,
    peer.addresses.join(' '),
    pathText(peer),
    `${sizeText(peer.rxBytes)} received, ${sizeText(peer.txBytes)} sent`,
  ]);
  return alignColumns([['NAME', 'ROLE', 'ADDRESSES', 'PATH', 'TRAFFIC'], ...rows]);
}

/** A peer's path in a few words. */
export function pathText({ path }: Pick<PeerStatus, 'path'>): string {
  const rtt = path.rttMs === null ? '' : ` ${path.rttMs} ms`;
  if (path.kind === 'direct') return `direct ${path.endpoint ?? ''}${rtt}`.trimEnd();
  if (path.kind === 'none') return `none: ${path.reason ?? 'unknown'}`;
  const transport = path.kind === 'relay' ? ` (${path.transport})` : '';
  return `${path.kind} ${path.via ?? ''}${transport}${rtt}`.trimEnd();
}

const signalText = ({ port, failure }: NonNullable<Status['signalServer']>): string =>
  port === null ? `not running: ${failure ?? 'it is starting'}` : `serves on UDP port ${port}`;

function natLine({ reflexive, udp, portMapping, ...nat }: Status['nat']): string {
  const seen = reflexive.length > 0 ? `, seen at ${reflexive.join(' ')}` : '';
  const mapped = portMapping ? `, port mapped (${portMapping.protocol}) at ${portMapping.external}` : '';
  return `${natText(nat)}${udp === false ? ', UDP blocked' : ''}${seen}${mapped}`;
}

/** Cells of a column begin under each other; the first row is the head. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/** ` for 20 s`; empty when the time is not known. */
export function sinceText(since: string | null, now: Date): string {
  if (since === null) return '';
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(since)) / 1000));
  if (seconds < 120) return ` for ${seconds} s`;
  return seconds < 7200 ? ` for ${Math.round(seconds / 60)} min` : ` for ${Math.round(seconds / 3600)} h`;
}
