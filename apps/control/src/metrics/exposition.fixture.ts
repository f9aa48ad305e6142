interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly type: string;
  readonly samples: Sample[];
}

/** A scrape, by family. */
export interface Exposition extends ReadonlyMap<string, Family> {
  samples(name: string): readonly Sample[];
  /** Of the one sample with exactly these labels; undefined: there is none. */
  value(name: string, labels: Readonly<Record<string, string>>): number | undefined;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

/**
 * Reads Prometheus' text format 0.0.4 and is strict about it, as `promtool check metrics` is: HELP and TYPE once and
 * before the samples, which stand together; counters end in `_total`; no sample twice; cumulative buckets up to +Inf.
 *
 * @throws Error that quotes the line.
 */
export function exposition(text: string): Exposition {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const helped = new Set<string>();
  const seen = new Set<string>();
  let current = '';
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (helped.has(name) || rest === '') fail('announced twice, or without a text');
      helped.add(name);
    } else if (keyword === 'TYPE') {
      if (families.has(name) || !helped.has(name)) fail('its TYPE is there twice, or before its HELP');
      if (!TYPES.includes(rest) || !NAME.test(name)) fail('no such type, or no name');
      if (rest === 'counter' && !name.endsWith('_total')) fail('a counter that does not end in _total');
      families.set(name, { type: rest, samples: [] });
      current = name;
    } else if (!line.startsWith('#')) {
      const sample = readSample(line) ?? fail('no sample');
      const { type } = families.get(current) ?? fail('a sample before its TYPE');
      const suffix = sample.name.slice(current.length);
      const allowed =
        type === 'histogram' ? ['_bucket', '_sum', '_count'] : type === 'summary' ? ['', '_sum', '_count'] : [''];
      if (!sample.name.startsWith(current) || !allowed.includes(suffix)) fail(`not of the family ${current}`);
      const identity = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
      if (seen.has(identity)) fail('there twice');
      seen.add(identity);
      families.get(current)!.samples.push(sample);
    }
  }
  for (const [name, family] of families) if (family.type === 'histogram') checkBuckets(name, family.samples);
  return Object.assign(families, {
    samples: (name: string) => families.get(name)?.samples ?? [],
    value: (name: string, labels: Readonly<Record<string, string>>) =>
      families.get(name)?.samples.find((sample) => sameLabels(sample.labels, labels))?.value,
  });
}

function readSample(line: string): Sample | undefined {
  const [, name, , inside, number] = /^([^\s{]+)(\{(.*)\})? (\S+)$/.exec(line) ?? [];
  // Prometheus reads numbers as Go's ParseFloat does: NaN in any case.
  const value = number === '+Inf' ? Number.POSITIVE_INFINITY : Number(number);
  if (name === undefined || !NAME.test(name) || (Number.isNaN(value) && !/^nan$/i.test(number ?? ''))) return undefined;
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (inside !== undefined && LABEL.lastIndex < inside.length) {
    const found = LABEL.exec(inside);
    if (!found || found[1]! in labels) return undefined;
    labels[found[1]!] = found[2]!;
  }
  return { name, labels, value };
}

function checkBuckets(name: string, samples: readonly Sample[]): void {
  const series = new Map<string, Sample[]>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(Object.entries(labels).sort());
    series.set(key, [...(series.get(key) ?? []), sample]);
  }
  for (const [labels, all] of series) {
    const buckets = all.filter((sample) => sample.name === `${name}_bucket`);
    const counts = buckets.map(({ value }) => value);
    const total = all.find((sample) => sample.name === `${name}_count`)?.value;
    const grows = counts.every((value, i) => i === 0 || value >= counts[i - 1]!);
    if (buckets.at(-1)?.labels.le !== '+Inf' || counts.at(-1) !== total || !grows) {
      throw new Error(`the buckets of ${name} ${labels} do not add up: ${counts} of ${total}`);
    }
  }
}

const sameLabels = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value);
