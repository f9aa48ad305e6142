import { addSite, MOBILE_SITE, type PingStream, SITE_KINDS, startPingStream } from '@warren/netlab';
import { expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';
import { useSiteMesh } from './support/site-mesh.js';

const HOME = SITE_KINDS.find(({ name }) => name === 'ei-apd')!;
const PUBLIC = SITE_KINDS.find(({ name }) => name === 'public')!;
const INTERVAL_MS = 10;
/** The goal is 2 s until it is direct again. */
const BACK_CEILING_MS = 20_000;
const isDirect = ({ kind }: { kind: string }): boolean => kind === 'direct';

/** A hundred packets a second go on while what is below them changes. */
describeLab('a stream that goes on', [], () => {
  const world = useSiteMesh({ name: 'movement' }, async (mesh) => {
    const [laptop, home, server] = await mesh.joinAll([
      { name: 'laptop', at: HOME },
      { name: 'home', at: HOME },
      { name: 'server', at: PUBLIC },
    ]);
    return { laptop: laptop!, home: home!, server: server! };
  });

  /** Losses from before a change until some time after the stream goes again, in milliseconds of the stream. */
  async function outage(stream: PingStream, before: number): Promise<number> {
    await stream.waitForAnswers(100, BACK_CEILING_MS);
    return stream.lostSince(before).length * INTERVAL_MS;
  }

  it('loses nothing from relay to direct', async () => {
    const { laptop, home } = world();
    const stream = startPingStream(laptop.host, home.agent.ipv4, INTERVAL_MS);
    try {
      await stream.waitForAnswers(1, BACK_CEILING_MS);
      await laptop.agent.waitForPath('home', { what: 'direct', timeoutMs: BACK_CEILING_MS }, isDirect);
      await home.agent.waitForPath('laptop', { what: 'direct', timeoutMs: BACK_CEILING_MS }, isDirect);
      await stream.waitForAnswers(200, BACK_CEILING_MS);
    } finally {
      expect((await stream.stop()).lost).toEqual([]);
    }
  });

  it('goes by the relay when the direct path is cut, and back without loss when it is there again', async () => {
    const { laptop, home } = world();
    const stream = startPingStream(laptop.host, home.agent.ipv4, INTERVAL_MS);
    try {
      await stream.waitForAnswers(50, BACK_CEILING_MS);
      const router = laptop.site.routers[0]!;
      const before = stream.latest();
      await router.block(home.site.routers[0]!.outside.ipv4);
      await laptop.agent.waitForPath(
        'home',
        { what: 'relayed', timeoutMs: BACK_CEILING_MS },
        ({ kind }) => kind === 'relay',
      );
      const lost = await outage(stream, before);
      expect(lost).toBeLessThan(BACK_CEILING_MS);
      const relayed = stream.latest();
      await router.block(undefined);
      const { afterMs } = await laptop.agent.waitForPath('home', { what: 'direct', timeoutMs: 60_000 }, isDirect);
      await stream.waitForAnswers(200, BACK_CEILING_MS);
      expect(stream.lostSince(relayed)).toEqual([]);
      console.log(`direct path cut: ${lost} ms lost; there again: direct after ${afterMs} ms, nothing lost`);
    } finally {
      await stream.stop();
    }
  }, 150_000);

  it.each([false, true])('survives that a router reboots, with a new public address: %s', async (newAddress) => {
    const { laptop, home } = world();
    const stream = startPingStream(laptop.host, home.agent.ipv4, INTERVAL_MS);
    try {
      await stream.waitForAnswers(50, BACK_CEILING_MS);
      await laptop.agent.waitForPath('home', { what: 'direct', timeoutMs: BACK_CEILING_MS }, isDirect);
      const before = stream.latest();
      const router = home.site.routers[0]!;
      const downFrom = Date.now();
      await router.reboot({ newAddress });
      const from = Date.now();
      const answered = await stream.waitForAnswers(1, BACK_CEILING_MS);
      const back = { what: 'direct again', timeoutMs: BACK_CEILING_MS, from };
      const { afterMs } = await laptop.agent.waitForPath(
        'home',
        back,
        (path) => isDirect(path) && path.endpoint!.startsWith(`${router.outside.ipv4}:`),
      );
      const lost = await outage(stream, before);
      expect(lost).toBeLessThan(BACK_CEILING_MS);
      console.log(
        `reboot (${from - downFrom} ms)${newAddress ? ' with a new address' : ''}: answers after ${answered} ms, ` +
          `direct after ${afterMs} ms, ${lost} ms of packets lost`,
      );
    } finally {
      await stream.stop();
    }
  });

  it.each([
    ['another site, with another private address', HOME, '10.77.0.0/24'],
    ['a mobile network', MOBILE_SITE, '192.168.43.0/24'],
  ] as const)('comes along to %s', async (where, kind, lan) => {
    const { laptop, server, home, mesh } = world();
    const to = await addSite(mesh.world, { name: `to-${kind.name}`, kind, lan });
    // A mobile network and a home cannot be crossed; a public host always can.
    const peer = kind === HOME ? home : server;
    const stream = startPingStream(laptop.host, peer.agent.ipv4, INTERVAL_MS);
    try {
      await stream.waitForAnswers(50, BACK_CEILING_MS);
      await laptop.agent.waitForPath(peer.agent.name, { what: 'direct', timeoutMs: BACK_CEILING_MS }, isDirect);
      const before = stream.latest();
      const address = laptop.host.ipv4;
      await laptop.host.moveTo(to.segment);
      const from = Date.now();
      expect(laptop.host.ipv4).not.toBe(address);
      const answered = await stream.waitForAnswers(1, BACK_CEILING_MS);
      // What it says of the other end's address holds for both: the peer sees the new router.
      const outside = to.routers.at(-1)!.outside.ipv4;
      const seen = { what: 'direct from the new place', timeoutMs: BACK_CEILING_MS, from };
      const { afterMs } = await peer.agent.waitForPath(
        'laptop',
        seen,
        (path) => isDirect(path) && path.endpoint!.startsWith(`${outside}:`),
      );
      const lost = await outage(stream, before);
      expect(lost).toBeLessThan(BACK_CEILING_MS);
      console.log(`${where}: answers after ${answered} ms, direct after ${afterMs} ms, ${lost} ms of packets lost`);
    } finally {
      await stream.stop();
    }
  });
});
