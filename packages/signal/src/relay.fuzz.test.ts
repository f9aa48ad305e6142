import { FUZZ_TIMEOUT, mutants } from '@warren/base/testing';
import { boxesReady } from '@warren/crypto/boxes';
import { encodeFrame } from '@warren/paths';
import { beforeAll, describe, expect, it } from 'vitest';
import { endpointBytes } from './origin.js';
import { readStreamRecords, StreamRecords } from './stream-records.js';
import { at, CoreRig } from './testing/core-rig.js';
import { random, sendFrame, TestAgent } from './testing/test-agent.js';

describe('a server fed with garbage', () => {
  beforeAll(() => boxesReady);

  it('never throws, sends nobody anything but agents and the sender, and him no more than he sent', {
    timeout: FUZZ_TIMEOUT,
  }, () => {
    const rig = new CoreRig();
    const [a, b] = [new TestAgent('a'), new TestAgent('b')];
    const [session] = [rig.register(a, at(1)), rig.register(b, at(2))];
    const nonce = random(8);
    const right = [
      encodeFrame({ type: 'hello', nonce }),
      encodeFrame(rig.registerFrame(new TestAgent('c', { expiresAt: 1 }), at(3))),
      encodeFrame({ type: 'alive?', session, sequence: 1 }),
      sendFrame(session, b, random(60)),
      sendFrame(session, new TestAgent('nobody'), random(60)),
      encodeFrame({ type: 'tombstone', session, ...new TestAgent('d').tombstone() }),
    ];
    let run = 0;
    let delivered = 0;
    for (const bytes of mutants(right)) {
      run++;
      rig.now += 1;
      // From an agent, and from nobody; as one datagram, and as a batch.
      const from = at(run % 2 === 0 ? 1 : 9);
      const segmentLength = run % 7 === 0 && bytes.length > 0 ? 1 + (run % bytes.length) : Math.max(1, bytes.length);
      let [backBytes, others] = [0, 0];
      for (const sent of rig.take(bytes, from, segmentLength)) {
        if (sent.to === from) backBytes += sent.bytes.length;
        else if (sent.to === at(2) && from === at(1)) delivered++;
        else others++;
      }
      const mayGet =
        from === at(9) ? bytes.length : Math.max(bytes.length, 36 * Math.ceil(bytes.length / segmentLength));
      if (others > 0 || backBytes > mayGet) expect.unreachable(`${backBytes} bytes for ${bytes.join(' ')}`);
      // The agents' own tombstones and keepalives aside, both stay registered.
      if (run % 1_000 === 0) for (const one of rig.sessions.all()) one.heardAt = rig.now;
    }
    expect(delivered).toBeGreaterThan(1_000);
    expect(rig.sessions.size).toBe(2);
  });

  it('takes frames of streams likewise', { timeout: FUZZ_TIMEOUT }, () => {
    const rig = new CoreRig();
    const stream = { kind: 'stream', stream: 1, address: endpointBytes(at(9)) } as const;
    const b = new TestAgent('b');
    const right = [encodeFrame({ type: 'hello', nonce: random(8) }), sendFrame(rig.register(b, at(2)), b, random(60))];
    for (const bytes of mutants(right)) {
      rig.relay.handleStreamFrame(bytes, stream);
      rig.udp.flush();
      const sent = rig.sent();
      // Another's session is none on this stream.
      if (sent.length > 0) expect.unreachable(`sent for ${bytes.join(' ')}`);
      for (const { stream: to, frame } of rig.toStreams.splice(0)) {
        if (to !== 1 || frame.length > bytes.length) expect.unreachable(`answered ${bytes.join(' ')}`);
      }
    }
  });
});

describe('records between the threads', () => {
  it('come out as they went in', () => {
    const records = new StreamRecords();
    const frames = Array.from({ length: 60 }, (_, i): [number, Uint8Array] => [i * 70_000, random(i * i)]);
    for (const [stream, frame] of frames) records.append(stream, frame);
    const found: [number, Uint8Array][] = [];
    readStreamRecords(records.take(), (stream, frame) => found.push([stream, frame.slice()]));
    expect(found).toEqual(frames);
    expect(records.length).toBe(0);
    expect(records.take()).toHaveLength(0);
  });
});
