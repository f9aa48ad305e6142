import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommandLine, type Said, startRecorder } from '../testing/command-line.fixture.js';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';

let plane: TestPlane;
let members = 0;
beforeAll(async () => {
  plane = await startTestPlane();
});
afterAll(() => plane?.stop());

const addMember = async (): Promise<string> => {
  const name = `member${++members}`;
  await plane.vanilla(name);
  return name;
};

interface Following {
  readonly lines: () => string[];
  end(): Promise<Said>;
}

/** A command that goes on until it is told to end. */
function following(line: string, more: Record<string, string> = {}): Following {
  const stop = new AbortController();
  let out = '';
  const watch = (text: string): void => {
    out = text;
  };
  const environment = { WARREN_DATA_DIR: plane.config.dataDir, ...more };
  const running = runCommandLine(line.split(' '), { environment, stop: stop.signal, watch });
  return {
    lines: () => out.split('\n').slice(0, -1),
    end: () => {
      stop.abort();
      return running;
    },
  };
}

/** Makes events until the command shows one: its stream begins when it begins. */
const shows = (run: Following, pattern: RegExp): Promise<void> =>
  until(async () => {
    await addMember();
    return run.lines().some((line) => pattern.test(line));
  }, `a line like ${pattern}`);

describe('warren events', () => {
  it('prints what happens, as it happens', async () => {
    const run = following('events');
    await shows(run, /node\.create/);
    const said = await run.end();
    expect(said).toMatchObject({ code: 0, err: '' });
    expect(said.out).toMatch(/^\d{4}-\S+Z {2}node\.create {15}member\d+ {2}by local\n/);
  });

  it('goes on where it was when the connection breaks, in JSON a line each, and misses nothing', async () => {
    const recorder = await startRecorder(plane.context.about.httpUrl);
    const run = following('events --json', { WARREN_URL: recorder.url, WARREN_TOKEN: plane.firstApiKey! });
    await shows(run, /node\.create/);
    recorder.breakAll();
    const missed = await addMember();
    await shows(run, new RegExp(missed));
    const said = await run.end();
    await recorder.close();
    expect(said.code).toBe(0);
    expect(said.err).toMatch(/^(warren: the connection was lost.*; trying again\n)+$/);
    const events = said.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; details: { name: string } });
    const names = events.map(({ details }) => Number(details.name.slice('member'.length)));
    expect(names).toEqual(Array.from(names, (_, i) => names[0]! + i));
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  });

  it('begins behind the event that --since names', async () => {
    const first = following('events --json');
    await shows(first, /node\.create/);
    const { out } = await first.end();
    const { id } = JSON.parse(out.split('\n')[0]!) as { id: string };
    const name = await addMember();
    const run = following(`events --json --since ${id}`);
    await until(() => run.lines().some((line) => line.includes(`"${name}"`)), 'the later event');
    await run.end();
  });

  it.each([
    ['a network that is not there', 'events --network nix', {}, /there is no network "nix"/],
    ['a wrong key', 'events', { url: 'yes' }, /does not know this API key/],
  ])('refuses %s in one line instead of trying for ever', async (_, line, how, err) => {
    const more = 'url' in how ? { WARREN_URL: plane.context.about.httpUrl, WARREN_TOKEN: 'wrong' } : {};
    const said = await runCommandLine(line.split(' '), {
      environment: { WARREN_DATA_DIR: plane.config.dataDir, ...more },
    });
    expect(said).toMatchObject({ code: 1, out: '' });
    expect(said.err).toMatch(err);
    expect(said.err.split('\n')).toHaveLength(2);
  });
});

describe('warren audit --follow', () => {
  it('prints the last entries, oldest first, and then each new one once', async () => {
    const run = following('audit --follow --limit 2 --action node. --json');
    await until(() => run.lines().length >= 2, 'the last entries');
    await shows(run, new RegExp(`member${members + 1}`));
    const entries = (await run.end()).out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const names = entries.map(({ details }) => Number(details.name.slice('member'.length)));
    expect(names).toEqual(Array.from(names, (_, i) => names[0]! + i));
    expect(entries[0]).toMatchObject({ action: 'node.create', actor: 'local', networkId: plane.network!.id });
    expect(Object.keys(entries.at(-1)).sort()).toEqual(Object.keys(entries[0]).sort());
  });
});
