import { concatBytes, networkId } from '@warren/base';
import { boxesReady } from '@warren/crypto/boxes';
import { decodeFrame, encodeFrame } from '@warren/paths';
import { beforeAll, describe, expect, it } from 'vitest';
import { endpointBytes } from './origin.js';
import { at, CoreRig } from './testing/core-rig.js';
import { random, sendFrame, TestAgent } from './testing/test-agent.js';

const fill = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

/** Three agents of one network. */
function threeAgents(options?: ConstructorParameters<typeof CoreRig>[0]) {
  const rig = new CoreRig(options);
  const [a, b, c] = [new TestAgent('a'), new TestAgent('b'), new TestAgent('c')];
  const sessions = { a: rig.register(a, at(1)), b: rig.register(b, at(2)), c: rig.register(c, at(3)) };
  return { rig, a, b, c, sessions };
}

const delivered = (sessions: { b: Uint8Array }, from: TestAgent, datagram: Uint8Array): Uint8Array =>
  encodeFrame({ type: 'deliver', session: sessions.b, relayId: from.relayId, datagram });

describe('the relay', () => {
  beforeAll(() => boxesReady);

  it('writes sixteen bytes over, and leaves the datagram as it is', () => {
    const { rig, a, b, sessions } = threeAgents();
    const datagram = random(1_333);
    const sent = rig.take(sendFrame(sessions.a, b, datagram), at(1), undefined, 1);
    expect(sent).toEqual([{ to: at(2), bytes: delivered(sessions, a, datagram), segmentLength: 1_353, ecn: 1 }]);
  });

  it('sends a batch for one agent on as one batch, the shorter end included', () => {
    const { rig, a, b, sessions } = threeAgents();
    const datagrams = [fill(100, 1), fill(100, 2), fill(100, 3), fill(33, 4)];
    const batch = concatBytes(...datagrams.map((datagram) => sendFrame(sessions.a, b, datagram)));
    const sent = rig.take(batch, at(1), 120);
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ to: at(2), segmentLength: 120 });
    expect(sent[0]!.bytes).toEqual(concatBytes(...datagrams.map((datagram) => delivered(sessions, a, datagram))));
  });

  it('splits a batch for several agents, keeping the order for each', () => {
    const { rig, b, c, sessions } = threeAgents();
    const pattern = [b, b, c, c, c, b, c];
    const batch = concatBytes(...pattern.map((to, i) => sendFrame(sessions.a, to, fill(50, i))));
    const order = (host: number): number[] =>
      sent
        .filter(({ to }) => to === at(host))
        .flatMap(({ bytes }) => Array.from({ length: bytes.length / 70 }, (_, i) => bytes[i * 70 + 20]!));
    const sent = rig.take(batch, at(1), 70);
    expect(order(2)).toEqual([0, 1, 5]);
    expect(order(3)).toEqual([2, 3, 4, 6]);
  });

  it('gathers single datagrams of one length into a batch', () => {
    const { rig, b, c, sessions } = threeAgents();
    for (let i = 0; i < 10; i++) {
      rig.v4.arrive(sendFrame(sessions.a, b, fill(80, i)), at(1));
      rig.v4.arrive(sendFrame(sessions.a, c, fill(i === 5 ? 40 : 80, i)), at(1));
    }
    rig.relay.pump(rig.v4);
    const sent = rig.sent();
    expect(sent.filter(({ to }) => to === at(2)).map(({ bytes }) => bytes.length)).toEqual([1_000]);
    // After the shorter one a new batch begins.
    expect(sent.filter(({ to }) => to === at(3)).map(({ bytes }) => bytes.length)).toEqual([560, 400]);
  });

  it('relays between the families', () => {
    const { rig, sessions } = threeAgents();
    const six = new TestAgent('six');
    const v6 = '[2001:db8::6]:4000' as ReturnType<typeof at>;
    const session = rig.register(six, v6);
    expect(rig.take(sendFrame(sessions.a, six, fill(9, 1)), at(1)).map(({ to }) => to)).toEqual([v6]);
    expect(rig.take(sendFrame(session, new TestAgent('a'), fill(9, 1)), v6).map(({ to }) => to)).toEqual([at(1)]);
  });

  it('forwards no frame of a stream that no datagram can hold, and leaves what waits for others alone', () => {
    const { rig, a, b, c, sessions } = threeAgents();
    const from = { kind: 'stream', stream: 7, address: endpointBytes(at(207)) } as const;
    const session = rig.registerOverStream(a, 7);
    const frame = (to: TestAgent, length: number): Uint8Array => sendFrame(session, to, fill(length, 0xee));
    const [first, second] =
      rig.sessions.ofAgent(b.relayId)[0]!.slot < rig.sessions.ofAgent(c.relayId)[0]!.slot ? [b, c] : [c, b];
    // What is gathered for the second agent lies behind what is gathered for the first.
    rig.relay.handleStreamFrame(sendFrame(session, second, fill(100, 1)), from);
    rig.relay.handleStreamFrame(frame(first, 65_535 - 20), from);
    rig.udp.flush();
    const sent = rig.sent();
    expect(sent.map(({ bytes }) => bytes.length)).toEqual([120]);
    expect(sent[0]!.bytes.subarray(20)).toEqual(fill(100, 1));
    expect(sent[0]!.bytes.subarray(12, 20)).toEqual(a.relayId);
    expect(rig.drops.get('too-long')).toBe(1);
    rig.relay.handleStreamFrame(frame(first, 65_507 - 20), from);
    rig.udp.flush();
    expect(rig.sent()).toHaveLength(1);
    expect(sessions.a).toBeDefined();
  });

  it('is no open proxy: from nobody but a session at its address, to nobody but an agent of its network', () => {
    const { rig, b, sessions } = threeAgents();
    const foreign = new TestAgent('f', { network: networkId('another-net') });
    const foreignSession = rig.register(foreign, at(8));
    const answers = (session: Uint8Array, to: TestAgent, from: number) =>
      rig.take(sendFrame(session, to, fill(200, 7)), at(from)).map((one) => [one.to, decodeFrame(one.bytes)?.type]);
    expect(answers(random(8), b, 9)).toEqual([[at(9), 'unknown-session']]); // no session
    expect(answers(sessions.a, b, 9)).toEqual([[at(9), 'unknown-session']]); // another's session
    expect(answers(foreignSession, b, 8)).toEqual([[at(8), 'not-here']]); // another network
    expect(answers(sessions.a, foreign, 1)).toEqual([[at(1), 'not-here']]);
    expect(answers(sessions.a, new TestAgent('nobody'), 1)).toEqual([[at(1), 'not-here']]);
    expect(rig.udp.datagrams).toBe(0);
  });

  it('says not here so many times a second', () => {
    const { rig, sessions } = threeAgents();
    const nobody = new TestAgent('nobody');
    const ask = (): number => rig.take(sendFrame(sessions.a, nobody, fill(9, 1)), at(1)).length;
    const answered = Array.from({ length: 100 }, ask).reduce((sum, count) => sum + count);
    expect(answered).toBe(20);
    rig.now += 1_000;
    expect(ask()).toBe(1);
  });

  it('limits what one agent relays, and nobody else', () => {
    const { rig, a, b, sessions } = threeAgents({ bytesPerSecond: 1_000_000 });
    const burst = Math.floor((16 << 20) / (1_000 + 64 + 20));
    for (let i = 0; i < burst + 500; i++) rig.take(sendFrame(sessions.a, b, fill(1_000, 1)), at(1));
    expect(rig.drops.get('rate-limit')).toBeGreaterThanOrEqual(499);
    expect(rig.take(sendFrame(sessions.b, a, fill(1_000, 1)), at(2))).toHaveLength(1);
    rig.now += 100;
    expect(rig.take(sendFrame(sessions.a, b, fill(1_000, 1)), at(1))).toHaveLength(1);
  });

  it('hands on what is no frame of its own, and drops what is a broken one', () => {
    const { rig } = threeAgents();
    expect(rig.take(fill(20, 1), at(9))).toEqual([]);
    expect(rig.others).toEqual([fill(20, 1)]);
    expect(rig.take(fill(20, 0xa5), at(9))).toEqual([]);
    expect(rig.take(fill(0, 0), at(9))).toEqual([]);
    expect(rig.drops.get('malformed')).toBe(1);
  });
});

describe('a full socket', () => {
  beforeAll(() => boxesReady);

  it('is tried again later, the oldest first and every agent in turn', () => {
    const { rig, b, c, sessions } = threeAgents();
    rig.v4.room = 0;
    // The busy agent b is first, and has five times as much.
    for (let i = 0; i < 10; i++) rig.take(sendFrame(sessions.a, b, fill(100, i)), at(1));
    for (let i = 0; i < 2; i++) rig.take(sendFrame(sessions.a, c, fill(100, i)), at(1));
    expect(rig.blocked).toBe(1);
    rig.v4.room = 4;
    expect(rig.udp.retry()).toBe(true);
    const told = rig.sent().map(({ to, bytes }) => [to, bytes[20]]);
    expect(told).toEqual([
      [at(2), 0],
      [at(3), 0],
      [at(2), 1],
      [at(3), 1],
    ]);
    // What comes meanwhile waits behind what waits already.
    rig.v4.room = 100;
    rig.take(sendFrame(sessions.a, b, fill(100, 77)), at(1));
    expect(rig.sent()).toEqual([]);
    expect(rig.udp.retry()).toBe(false);
    expect(rig.sent().map(({ bytes }) => bytes[20])).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 77]);
  });

  it('holds a bounded number of bytes for each agent, and drops the oldest', () => {
    const { rig, b, sessions } = threeAgents();
    rig.v4.room = 0;
    for (let i = 0; i < 400; i++) rig.take(sendFrame(sessions.a, b, fill(1_004, i)), at(1));
    rig.v4.room = 1_000;
    rig.udp.retry();
    const sent = rig.sent();
    expect(sent).toHaveLength(256); // 256 KiB
    expect(sent.at(-1)!.bytes[20]).toBe(399 & 0xff);
    expect(rig.drops.get('congested')).toBe(144);
  });
});
