import { fileURLToPath } from 'node:url';
import { type NetworkMember, waitUntil } from '@warren/netlab';

const SCRIPT = fileURLToPath(new URL('packet-stream.mjs', import.meta.url));
let ports = 40_000;

/** One direction of two streams. */
export interface StreamResult {
  readonly title: string;
  readonly sent: number;
  /** Numbers that never came, and numbers that came more than once. */
  readonly lost: readonly number[];
  readonly duplicated: readonly number[];
}

/** Runs of numbers that came, first and last of each in order, and those that came more than once. */
interface Received {
  readonly received: readonly (readonly [number, number])[];
  readonly more: readonly number[];
}

/** Numbered packets both ways between two members at a steady pace, until they are stopped. */
export interface PacketStreams {
  /** Waits until so many more have come at either end. @throws WarrenError `timeout`. */
  waitForPackets(count: number, timeoutMs: number): Promise<void>;
  stop(): Promise<StreamResult[]>;
}

/** Begins with a packet each `everyMs` milliseconds, fractions allowed. Settles when packets go both ways. */
export async function startPacketStreams(a: NetworkMember, b: NetworkMember, everyMs: number): Promise<PacketStreams> {
  ports += 1;
  const port = String(ports);
  const ends = [
    { from: a, process: spawnEnd(a, b, port, everyMs) },
    { from: b, process: spawnEnd(b, a, port, everyMs) },
  ] as const;
  await Promise.all(ends.map(({ process }) => process.waitForOutput(/begun/, 20_000)));
  const counts = (): number[] =>
    ends.map(({ process }) => Number(/in (\d+)\s*$/.exec(process.stdout.slice(-64))?.[1] ?? 0));
  return {
    async waitForPackets(count, timeoutMs) {
      const before = counts();
      const came = (): boolean => counts().every((now, end) => now >= before[end]! + count);
      await waitUntil(`${count} packets between ${a.name} and ${b.name}`, { timeoutMs }, came);
    },
    async stop() {
      for (const { process } of ends) process.kill('SIGINT');
      const said = await Promise.all(
        ends.map(async ({ process }) => {
          const [, json] = await process.waitForOutput(/^(\{.*\})$/m, 30_000);
          return JSON.parse(json!) as { sent: number } & Received;
        }),
      );
      const [ofA, ofB] = [said[0]!, said[1]!];
      return [result(a, b, ofA.sent, ofB), result(b, a, ofB.sent, ofA)];
    },
  };
}

function spawnEnd(from: NetworkMember, to: NetworkMember, port: string, everyMs: number) {
  return from.host.spawn(process.execPath, [SCRIPT, from.ipv4, to.ipv4, port, String(everyMs)]);
}

function result(from: NetworkMember, to: NetworkMember, sent: number, { received, more }: Received): StreamResult {
  const lost: number[] = [];
  let next = 1;
  for (const [first, last] of [...received, [sent + 1, sent + 1] as const]) {
    for (; next < first; next++) lost.push(next);
    next = last + 1;
  }
  return { title: `${from.name} → ${to.name}`, sent, lost, duplicated: more };
}
