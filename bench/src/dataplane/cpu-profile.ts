import { readFileSync } from 'node:fs';

/** What `node --cpu-prof` writes, as far as it is used here. Times in microseconds. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Where the data plane's time goes, by the file whose function was at work; a native call counts as its caller's. */
const PARTS: readonly (readonly [part: string, pattern: RegExp])[] = [
  ['cipher', /native-crypto\//],
  ['TUN (system calls)', /offload-tun\.js|dataplane\/dist\/tun\.js/],
  ['UDP (system calls)', /udp\/dist\//],
  ['checksum', /^wasm:/],
  ['split, batch and coalesce', /dataplane\/dist\/offload\//],
  ['protocol', /wireguard\/dist\//],
  ['rest of the data plane', /dataplane\/dist\/|base\/dist\//],
];
const ENGINE: ReadonlyMap<string, string> = new Map([
  ['(garbage collector)', 'garbage collection'],
  ['(program)', 'kernel and engine, unattributed'],
]);
const OTHER = 'Node and the rest';

/** Shares of the busy time, greatest first. */
export function sharesOf(files: readonly string[]): (readonly [part: string, share: number])[] {
  const times = new Map<string, number>();
  let busy = 0;
  for (const file of files) {
    const profile = JSON.parse(readFileSync(file, 'utf8')) as CpuProfile;
    const parts = new Map(profile.nodes.map(({ id, callFrame }) => [id, partOf(callFrame)]));
    for (const [i, id] of profile.samples.entries()) {
      const part = parts.get(id);
      if (part === undefined) continue;
      const time = profile.timeDeltas[i] ?? 0;
      times.set(part, (times.get(part) ?? 0) + time);
      busy += time;
    }
  }
  return [...times].map(([part, time]) => [part, time / busy] as const).sort((a, b) => b[1] - a[1]);
}

/** @returns undefined while nothing is done. */
function partOf({ functionName, url }: CpuProfile['nodes'][number]['callFrame']): string | undefined {
  if (functionName === '(idle)') return undefined;
  return ENGINE.get(functionName) ?? PARTS.find(([, pattern]) => pattern.test(url))?.[0] ?? OTHER;
}
