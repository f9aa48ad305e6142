import { readFile } from 'node:fs/promises';
import { WarrenError } from '@warren/base';

/** Names of all interfaces of this network namespace, also those that are down. */
export type ListInterfaces = () => Promise<ReadonlySet<string>>;

/** Reads `/proc/self/net/dev`: unlike `/sys/class/net` it is always that of our own namespace. */
export const listInterfaces: ListInterfaces = async () => parseNetDev(await readFile('/proc/self/net/dev', 'utf8'));

/** The names in the text of `/proc/net/dev`. */
export function parseNetDev(text: string): ReadonlySet<string> {
  const lines = text.split('\n').slice(2);
  return new Set(lines.map((line) => line.slice(0, line.lastIndexOf(':')).trim()).filter(Boolean));
}

/** @throws WarrenError `interface-taken` when the host has an interface of this name. */
export function requireFreeInterface(name: string, existing: ReadonlySet<string>): void {
  if (!existing.has(name)) return;
  throw new WarrenError(
    'interface-taken',
    `this host already has an interface ${name}: remove it, or choose another name with --interface`,
  );
}

/** `wg0`, `wg1`, …: the first that neither the host nor another network of this agent has. */
export function nextFreeInterface(taken: ReadonlySet<string>): string {
  for (let i = 0; ; i++) if (!taken.has(`wg${i}`)) return `wg${i}`;
}
