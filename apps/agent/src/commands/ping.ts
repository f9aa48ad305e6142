import { spawn } from 'node:child_process';
import { WarrenError } from '@warren/base';
import { askDaemon } from '../daemon/socket-client.js';
import type { PathStatus, Status } from '../daemon/status-types.js';
import type { ExitCode } from '../errors.js';
import { programEnvironment, programMissing } from '../host/program.js';
import type { CommandContext } from './context.js';
import { type FoundNode, findNode } from './find-node.js';
import { pathText } from './render-status.js';
import { readStatusWith } from './status.js';

/** Seconds that each echo may take; and between two. */
const ANSWER_TIME = 2;
const INTERVAL = 0.2;

export interface PingOptions {
  readonly count: number;
}

/** One answer, and the path that packets took at that moment. */
interface PingReply {
  readonly sequence: number;
  readonly rttMs: number;
  readonly path: PathStatus | null;
}

/** What `agent ping --json` gives. */
interface PingResult {
  readonly node: string;
  readonly address: string;
  readonly sent: number;
  readonly received: number;
  readonly rttMs: { readonly min: number; readonly avg: number; readonly max: number } | null;
  readonly replies: readonly PingReply[];
  readonly path: PathStatus | null;
}

/**
 * `agent ping NODE`: ICMP echoes through the interface, by the host's own `ping`. @returns 0 if any was answered.
 * @throws WarrenError `not-running`, `not-joined`, `node-unknown`, `program-missing`.
 */
export async function pingCommand(context: CommandContext, node: string, options: PingOptions): Promise<ExitCode> {
  const before = await readStatusWith(context, node);
  const target = findNode(before, node);
  const replies: PingReply[] = [];
  // One after the other, so that answers are told in their order.
  let told = Promise.resolve();
  await runPing(before, target, options.count, (reply) => {
    const path = pathNow(context, before, target);
    told = told.then(async () => {
      replies.push({ ...reply, path: await path });
      if (!context.output.json) context.streams.out(`${replyText(target, replies.at(-1)!)}\n`);
    });
  });
  await told;
  await notePing(context, before, target, replies.at(-1)?.rttMs);
  const path = await pathNow(context, before, target);
  const result = summarize(target, options.count, replies, path);
  context.output.result(result, renderSummary(result));
  return replies.length > 0 ? 0 : 1;
}

/** One line an answer. */
export function replyText({ name, address }: FoundNode, { sequence, rttMs, path }: PingReply): string {
  const way = path ? ` ${path.kind === 'direct' ? '' : 'via '}${pathText({ path: { ...path, rttMs: null } })}` : '';
  return `from ${name} (${address}): seq=${sequence} time=${rttMs} ms${path?.kind === 'none' ? '' : way}`;
}

/** @returns null for this node itself, and when the daemon has ended meanwhile. */
async function pathNow({ stateDir }: CommandContext, status: Status, { peer }: FoundNode): Promise<PathStatus | null> {
  if (!peer || !status.network) return null;
  const request = { method: 'path', network: status.network.id, peer: peer.id } as const;
  // An answer counts also when the daemon is just going down.
  const reply = await askDaemon(stateDir, request).catch(() => undefined);
  return reply?.path ?? null;
}

/** `icmp_seq` and time of one line of iputils' output; undefined for other lines. */
export function parsePingLine(line: string): { sequence: number; rttMs: number } | undefined {
  const match = /icmp_seq=(\d+) .*time=([\d.]+) ms/.exec(line);
  return match ? { sequence: Number(match[1]), rttMs: Number(match[2]) } : undefined;
}

function runPing(
  status: Status,
  target: FoundNode,
  count: number,
  onReply: (reply: { sequence: number; rttMs: number }) => void,
): Promise<void> {
  const through = target.peer && status.dataPlane ? ['-I', status.dataPlane.interface] : [];
  const times = ['-c', String(count), '-i', String(INTERVAL), '-W', String(ANSWER_TIME)];
  return new Promise((resolve, reject) => {
    const child = spawn('ping', ['-n', ...times, ...through, target.address], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: programEnvironment(),
    });
    let rest = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const reply = parsePingLine(line);
        if (reply) onReply(reply);
      }
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      complaint += chunk;
    });
    child.on('error', (error) => reject(programMissing('ping', error)));
    // 1: no answer. Anything above: ping itself could not do it.
    child.on('close', (code) => {
      if (code === 0 || code === 1) resolve();
      else reject(new WarrenError('ping-failed', `ping could not be sent: ${complaint.trim() || `exit code ${code}`}`));
    });
  });
}

/** The status tells the last round trip, and whether a node behind a bounce answers. */
async function notePing(
  { stateDir }: CommandContext,
  status: Status,
  target: FoundNode,
  rttMs: number | undefined,
): Promise<void> {
  if (!target.peer || !status.network) return;
  const note = { network: status.network.id, peer: target.peer.id, rttMs: rttMs ?? null };
  await askDaemon(stateDir, { method: 'note-ping', ...note });
}

function summarize(
  target: FoundNode,
  sent: number,
  replies: PingResult['replies'],
  path: PathStatus | null,
): PingResult {
  const times = replies.map(({ rttMs }) => rttMs);
  const avg = Math.round((times.reduce((sum, time) => sum + time, 0) / times.length) * 1000) / 1000;
  const rttMs = times.length > 0 ? { min: Math.min(...times), avg, max: Math.max(...times) } : null;
  return { node: target.name, address: target.address, sent, received: replies.length, rttMs, replies, path };
}

function renderSummary({ node, sent, received, rttMs, path }: PingResult): string {
  const way = path ? `, path ${pathText({ path: { ...path, rttMs: null } })}` : '';
  if (!rttMs) return `${node}: no answer to ${sent}${way}`;
  return `${node}: ${received} of ${sent} answered, min/avg/max ${rttMs.min}/${rttMs.avg}/${rttMs.max} ms${way}`;
}
