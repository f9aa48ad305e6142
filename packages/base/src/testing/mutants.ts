/** Inputs for each decoder: 200,000 in the tests, ten million in the soak (docs/TESTING.md). */
const FUZZ_RUNS = process.env.WARREN_SOAK ? 10_000_000 : 200_000;
const FUZZ_SEED = Number(process.env.WARREN_SEED ?? 1);
/** Milliseconds that a fuzz test may take on a busy machine. */
export const FUZZ_TIMEOUT = process.env.WARREN_SOAK ? 3_600_000 : 120_000;

/** Marsaglia's xorshift32: the same inputs for the same seed on every machine. */
function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Right encodings with bytes changed, cut off, doubled or put in, and plain noise. `FUZZ_RUNS` of them. */
export function* mutants(right: readonly Uint8Array[], seed = FUZZ_SEED): Generator<Uint8Array> {
  const random = seeded(seed);
  for (let run = 0; run < FUZZ_RUNS; run++) {
    const start = right[random(right.length)]!;
    if (random(10) === 0) yield Uint8Array.from({ length: random(200) }, () => random(256));
    else yield mutant(start, random);
  }
}

function mutant(start: Uint8Array, random: (below: number) => number): Uint8Array {
  let bytes = Uint8Array.from(start);
  for (let changes = 1 + random(3); changes > 0; changes--) {
    const at = random(Math.max(1, bytes.length));
    const kind = random(5);
    if (kind === 0) bytes = bytes.slice(0, at);
    else if (kind === 1) bytes = Uint8Array.from([...bytes.slice(0, at), random(256), ...bytes.slice(at)]);
    else if (kind === 2) bytes = Uint8Array.from([...bytes, ...bytes.slice(at)]);
    else if (bytes.length > 0) bytes[at] = kind === 3 ? [0, 1, 0x7f, 0x80, 0xff][random(5)]! : random(256);
  }
  return bytes;
}
