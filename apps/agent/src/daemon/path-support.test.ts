import type { Endpoint } from '@warren/base';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { PortMapping } from '../host/port-mapping/port-mapping.js';
import { FakeControl } from '../testing/fake-control.js';
import { fakeDataPlanes } from '../testing/fake-data-plane.js';
import { Cleanup, runAgent, until } from '../testing/run.js';
import { Daemon } from './daemon.js';
import type { StartPortMapper } from './path-support.js';

const cleanup = new Cleanup();
let control: FakeControl;
let stateDir: string;
let planes: ReturnType<typeof fakeDataPlanes>;
let asked: Parameters<StartPortMapper>[0][];
let mapping: PortMapping | undefined;
let stopped: number;
let refreshed: number;

const startPortMapper: StartPortMapper = async (options) => {
  asked.push(options);
  return {
    get mapping() {
      return mapping;
    },
    refresh: () => void refreshed++,
    stop: async () => void stopped++,
  };
};

beforeEach(async () => {
  control = await FakeControl.start();
  cleanup.add(() => control.kill());
  stateDir = await cleanup.folder();
  planes = fakeDataPlanes();
  [asked, mapping, stopped, refreshed] = [[], undefined, 0, 0];
});
afterEach(() => cleanup.run());

async function startDaemon(): Promise<Daemon> {
  const place = ['--interface', 'wgtest0', '--listen-port', '0', '--name', 'laptop', '--no-start'];
  await runAgent(['join', '--token', control.token(), '--state-dir', stateDir, ...place]);
  const daemon = await Daemon.start({ stateDir, log: () => undefined, startDataPlane: planes.start, startPortMapper });
  cleanup.add(() => daemon.stop());
  await until('connection', async () => (await daemon.status()).state === 'running');
  return daemon;
}

const plane = () => planes.planes.at(-1)!;
const tell = (external: string, doubleNat = false): void => {
  mapping = { protocol: 'pcp', external: external as Endpoint, doubleNat };
  asked[0]!.onChange(mapping);
};

it('maps the port of the data plane once, tells it where that leads from outside, and gives it back', async () => {
  const daemon = await startDaemon();
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({ port: plane().listenPort, leaveOut: new Set(['wgtest0']) });
  expect(asked[0]?.nonce).toHaveLength(12);
  tell('203.0.113.7:51820');
  await until('the data plane', () => plane().signalling.mapped?.[0] === '203.0.113.7:51820');
  const portMapping = { protocol: 'pcp', external: '203.0.113.7:51820', doubleNat: false };
  expect((await daemon.status()).nat.portMapping).toEqual(portMapping);
  asked[0]!.onChange(undefined);
  await until('the loss', () => plane().signalling.mapped?.length === 0);
  await daemon.stop();
  expect(stopped).toBe(1);
});

it('shows a mapping behind another NAT, and tells no peer of it', async () => {
  const daemon = await startDaemon();
  tell('100.64.0.9:51820', true);
  expect((await daemon.status()).nat.portMapping?.doubleNat).toBe(true);
  expect(plane().signalling.mapped ?? []).toEqual([]);
});

it('asks the router anew when servers see this host elsewhere', async () => {
  const daemon = await startDaemon();
  const { support } = daemon.runner();
  const seen = (reflexive: string) => [{ reflexive: reflexive as Endpoint }];
  support.noteServers(seen('203.0.113.7:1'));
  support.noteServers(seen('203.0.113.7:1'));
  expect(refreshed).toBe(0);
  support.noteServers(seen('203.0.113.8:1'));
  support.noteServers([]);
  expect(refreshed).toBe(1);
});

it('has the same PCP nonce after a restart, so that a mapping from before is renewed', async () => {
  await (await startDaemon()).stop();
  const daemon = await Daemon.start({ stateDir, log: () => undefined, startDataPlane: planes.start, startPortMapper });
  cleanup.add(() => daemon.stop());
  expect(asked[1]?.nonce).toEqual(asked[0]?.nonce);
});
