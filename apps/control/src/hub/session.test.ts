import { SyncResponse } from '@warren/proto';
import { describe, expect, it } from 'vitest';
import type { Entry } from './entries.js';
import { type DeltaCache, Session } from './session.js';

const LIMITS = { maxBuffered: 1000, maxUnacked: 5000 };

/** A stream that takes what it gets, and says it is flushed only when told. */
function stuckStream() {
  const sent: Uint8Array[] = [];
  const flushes: (() => void)[] = [];
  const state = { ended: false };
  const stream = {
    send: (bytes: Uint8Array, flushed: () => void) => {
      sent.push(bytes);
      flushes.push(flushed);
    },
    end: () => {
      state.ended = true;
    },
  };
  const flush = (): void => {
    for (const flushed of flushes.splice(0)) flushed();
  };
  const messages = () => sent.map((bytes) => SyncResponse.decode(bytes).message!);
  return { stream, state, messages, sent, flush };
}

function setup(generation = 1) {
  const clock = { now: 1000 };
  const stuck = stuckStream();
  const session = new Session('node' as never, generation, stuck.stream, LIMITS, () => clock.now);
  return { clock, session, ...stuck };
}

const entry = (size: number, serial = 1): Entry => ({
  nodeId: 'peer' as never,
  bytes: Buffer.alloc(size, serial),
  hash: 1n,
  serial,
});
const delta = (revision: number, size: number, serial = 1) => ({
  to: { epoch: 1, revision },
  upsert: [entry(size, serial)],
  remove: [],
  tombstones: [],
  digest: BigInt(revision),
});

describe('a session', () => {
  it('cuts a reader that lets more than the limit wait, and holds no more than that', () => {
    const { session, messages, state } = setup();
    for (let revision = 1; revision <= 100; revision++) session.sendDelta(delta(revision, 300));
    expect(messages().at(-1)).toMatchObject({ $case: 'farewell', value: { code: 'resync' } });
    expect(messages()).toHaveLength(4);
    expect(state.ended).toBe(true);
    expect(session.open).toBe(false);
    expect(session.buffered).toBeLessThanOrEqual(LIMITS.maxBuffered);
  });

  it('lets one message be larger than the limit, as a snapshot may be', () => {
    const { session, messages } = setup();
    session.sendSnapshot({ epoch: 1, revision: 1 }, undefined as never, [entry(5000)], [], 1n);
    expect(messages()[0]!.$case).toBe('snapshot');
    expect(session.open).toBe(true);
  });

  it('goes on when what waited was taken', () => {
    const { session, flush } = setup();
    for (let revision = 1; revision <= 100; revision++) {
      session.sendDelta(delta(revision, 300));
      flush();
    }
    expect(session.open).toBe(true);
    expect(session.buffered).toBe(0);
  });

  it('cuts an agent that does not acknowledge in time, and not one that does', () => {
    const { session, clock } = setup();
    session.sendDelta(delta(1, 10));
    clock.now += 4000;
    session.acknowledge({ epoch: 1, revision: 1 });
    clock.now += 4000;
    session.checkProgress();
    expect(session.open).toBe(true);
    session.sendDelta(delta(2, 10));
    clock.now += 5001;
    session.checkProgress();
    expect(session.open).toBe(false);
  });

  it('takes progress for progress, though the last change is not acknowledged yet', () => {
    const { session, clock } = setup();
    session.sendDelta(delta(1, 10));
    session.sendDelta(delta(2, 10));
    clock.now += 4000;
    session.acknowledge({ epoch: 1, revision: 1 });
    clock.now += 4000;
    session.checkProgress();
    expect(session.open).toBe(true);
  });

  it('says nothing after a farewell', () => {
    const { session, messages } = setup();
    session.farewell('draining', 'bye');
    session.farewell('clone', 'again');
    session.sendDelta(delta(1, 10));
    expect(messages()).toHaveLength(1);
  });

  it('encodes equal deltas once, and others not', () => {
    const cache: DeltaCache = new Map();
    const [a, b, c] = [setup(), setup(), setup()];
    c.session.resumeAt({ epoch: 1, revision: 7 }, 0n);
    for (const { session } of [a, b, c]) session.sendDelta(delta(9, 10), cache);
    expect(b.sent[0]).toBe(a.sent[0]);
    expect(c.sent[0]).not.toBe(a.sent[0]);
    expect(c.messages()[0]).toMatchObject({ value: { from: { revision: 7 } } });
  });

  it('compares digests at equal positions only', () => {
    const { session } = setup();
    session.sendDelta(delta(3, 10));
    expect(session.agrees({ epoch: 1, revision: 3 }, Buffer.alloc(32).fill(3, 31))).toBe(true);
    expect(session.agrees({ epoch: 1, revision: 3 }, Buffer.alloc(32))).toBe(false);
    expect(session.agrees({ epoch: 1, revision: 2 }, Buffer.alloc(32))).toBeUndefined();
  });
});
