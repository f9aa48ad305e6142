import type { Schemas } from '@warren/client';
import type { BadgeTone } from '../../ui/badge.js';
import { formatBytes } from '../../ui/format.js';

/** One thing that is well or not. */
export interface Check {
  readonly name: string;
  readonly tone: BadgeTone;
  readonly value: string;
  /** What it means, and what to do where it is not well. */
  readonly text: string;
}

interface Seen {
  readonly ready: { readonly ready: boolean; readonly why?: string } | undefined;
  readonly stream: 'connecting' | 'live' | 'lost' | 'refused';
  readonly unreachable: boolean;
}

/** Milliseconds: a round trip that people notice, and one that agents do. */
const SLOW_DATABASE = 50;
const LATE_LOOP = 100;
/** Part of the heap's limit. */
const FULL_HEAP = 0.85;

/** What of the control plane is well, from what it says of itself and what this page sees of it. */
export function checksOf({ health, version }: Schemas['Status'], { ready, stream, unreachable }: Seen): Check[] {
  return [
    {
      name: 'Control plane',
      ...(unreachable
        ? { tone: 'bad', value: 'Unreachable', text: 'What is shown here is what it said last.' }
        : { tone: 'good', value: `Up for ${uptime(health.uptimeMs)}`, text: `Version ${version}.` }),
    },
    databaseCheck(health, ready),
    {
      name: 'Live connection',
      ...(stream === 'live'
        ? { tone: 'good', value: 'Live', text: 'Changes appear on this page as they happen.' }
        : {
            tone: stream === 'connecting' ? 'neutral' : 'bad',
            value: stream === 'connecting' ? 'Connecting' : 'Lost',
            text: 'Until it is back, this page may show what was.',
          }),
    },
    loopCheck(health),
    memoryCheck(health),
    {
      name: 'Agents',
      tone: 'neutral',
      value: `${health.agentsConnected.toLocaleString('en')} connected`,
      text: 'To this process.',
    },
  ];
}

type Health = Schemas['Health'];

function databaseCheck({ databaseLatencyMs: latency }: Health, ready: Seen['ready']): Check {
  const name = 'Database';
  if (latency === null)
    return {
      name,
      tone: 'bad',
      value: 'No answer',
      text: 'Agents go on with what they know. See the log of the control plane.',
    };
  const value = `${latency.toFixed(latency < 10 ? 1 : 0)} ms`;
  if (ready && !ready.ready) return { name, tone: 'bad', value, text: ready.why ?? 'Not ready.' };
  return latency > SLOW_DATABASE
    ? { name, tone: 'warn', value, text: 'Round trip is slow: look at the load of the database.' }
    : { name, tone: 'good', value, text: 'Round trip; migrations are applied.' };
}

function loopCheck({ eventLoopDelayMs: { p99, max } }: Health): Check {
  const value = `${p99.toFixed(p99 < 10 ? 1 : 0)} ms`;
  const longest = `99 of 100 timers are not later; the latest was ${Math.round(max)} ms.`;
  return p99 > LATE_LOOP
    ? { name: 'Event loop delay', tone: 'warn', value, text: `${longest} The machine has too little processor time.` }
    : { name: 'Event loop delay', tone: 'good', value, text: longest };
}

function memoryCheck({ memory: { rssBytes, heapUsedBytes, heapLimitBytes } }: Health): Check {
  const part = heapUsedBytes / heapLimitBytes;
  return {
    name: 'Memory',
    tone: part > FULL_HEAP ? 'warn' : 'good',
    value: formatBytes(rssBytes),
    text: `Heap: ${Math.round(part * 100)}% of what it may take.`,
  };
}

/** The largest two units: `3 d 4 h`, `5 min 2 s`. */
function uptime(milliseconds: number): string {
  let left = Math.floor(milliseconds / 1_000);
  const parts: string[] = [];
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0 || (unit === 's' && parts.length === 0)) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}
