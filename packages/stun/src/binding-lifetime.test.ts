import { type Instant, parseEndpoint, parseIpAddress } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TransportAddress } from './attributes.js';
import { type BindingLifetimeResult, createBindingLifetimeMeasurement } from './binding-lifetime.js';
import { createBindingServer } from './binding-server.js';

interface Nat {
  /** Seconds that a binding is kept after something was sent over it; none: none is ever forgotten. */
  readonly lifetimeS?: number;
  /** The same while it carried less than two seconds of conversation. */
  readonly singleS?: number;
  /** Forgotten outer ports are given to the next that asks. */
  readonly reuses?: boolean;
  /** Every socket gets another outer address. */
  readonly pools?: boolean;
  /** `plain` knows no RESPONSE-PORT and answers to the sender. */
  readonly server?: 'ours' | 'plain' | 'dead' | 'no-response-port';
  readonly loses?: () => boolean;
}

interface Binding {
  readonly socket: number;
  readonly outer: TransportAddress;
  readonly since: number;
  until: number;
}

const SERVER = parseEndpoint('198.51.100.1:3478')!;
const LATENCY = 20;

/** A measurement behind a NAT that forgets, and its clock. */
function measure(nat: Nat): { result: BindingLifetimeResult; sent: number; tookS: number } {
  let [now, sent, count, port] = [1_000, 0, 0, 20_000];
  const bindings = new Map<number, Binding>();
  const flights: { at: number; run: () => void }[] = [];
  const server = createBindingServer({ sockets: { primary: SERVER } });
  const random = (length: number) => {
    count++;
    return Uint8Array.from({ length }, (_, i) => (i < 2 ? count >> (8 * i) : i));
  };
  const measurement = createBindingLifetimeMeasurement({ server: SERVER, random, now: now as Instant });
  const launch = (run: () => void) => nat.loses?.() || flights.push({ at: now + LATENCY, run });
  const lives = (binding: Binding) => now < binding.until;
  const keep = (binding: Binding) => {
    const seconds = now - binding.since < 2_000 ? (nat.singleS ?? nat.lifetimeS) : nat.lifetimeS;
    binding.until = seconds === undefined ? Number.POSITIVE_INFINITY : now + seconds * 1_000;
    return binding;
  };
  const bind = (socket: number): Binding => {
    const known = bindings.get(socket);
    if (known && lives(known)) return keep(known);
    const dead = nat.reuses ? [...bindings.values()].find((one) => !lives(one)) : undefined;
    const address = parseIpAddress(`203.0.113.${nat.pools ? 1 + socket : 9}`)!;
    const outer = dead?.outer ?? { address, port: port++ };
    if (dead) bindings.delete(dead.socket);
    const made = keep({ socket, outer, since: now, until: 0 });
    bindings.set(socket, made);
    return made;
  };
  const comeIn = (to: TransportAddress, datagram: Uint8Array) => {
    const binding = [...bindings.values()].find(({ outer }) => outer.address === to.address && outer.port === to.port);
    if (binding && lives(binding)) measurement.handleDatagram(binding.socket, datagram, SERVER, now as Instant);
  };
  for (;;) {
    for (let out = measurement.pollTransmit(); out; out = measurement.pollTransmit()) {
      sent++;
      const from = bind(out.socket).outer;
      const { datagram } = out;
      launch(() => {
        const answer = nat.server === 'dead' ? undefined : server.answer(datagram, from, 'primary');
        if (!answer) return;
        const elsewhere = answer.to.port !== from.port;
        if (elsewhere && nat.server === 'no-response-port') return;
        launch(() => comeIn(nat.server === 'plain' ? from : answer.to, answer.datagram));
      });
    }
    const result = measurement.result();
    if (result) return { result, sent, tookS: (now - 1_000) / 1_000 };
    flights.sort((a, b) => a.at - b.at);
    const timeout = measurement.pollTimeout();
    if (flights[0] && (timeout === undefined || flights[0].at <= timeout)) {
      now = Math.max(now, flights[0].at);
      flights.shift()!.run();
    } else if (timeout === undefined) throw new Error('it waits for nothing and has no result');
    else {
      now = Math.max(now, timeout);
      measurement.handleTimeout(now as Instant);
    }
  }
}
const atLeast = (nat: Nat) => measure(nat).result.atLeastS;

describe('the lifetime of a binding', () => {
  it.each([
    [5, 0],
    [15, 10],
    [29, 20],
    [31, 30],
    [59, 45],
    [61, 60],
    [100, 90],
    [125, 120],
    [300, 180],
  ])('of %i s is found to be at least %i s', (lifetimeS, found) => {
    expect(atLeast({ lifetimeS })).toBe(found);
    expect(atLeast({ lifetimeS, reuses: true })).toBe(found);
  });

  it('is found to be long where nothing is forgotten', () => {
    expect(atLeast({})).toBe(180);
  });

  it('is that of a conversation, not of a single question', () => {
    expect(atLeast({ lifetimeS: 125, singleS: 15 })).toBe(120);
  });

  it('is unknown where it cannot be asked for', () => {
    for (const server of ['dead', 'plain', 'no-response-port'] as const) {
      expect(atLeast({ lifetimeS: 125, server })).toBeUndefined();
    }
    expect(atLeast({ lifetimeS: 125, pools: true })).toBeUndefined();
  });

  it('takes few packets, and no longer than the first silence that is too long', () => {
    expect(measure({ lifetimeS: 300 })).toMatchObject({ sent: 48 });
    expect(measure({ lifetimeS: 300 }).tookS).toBeLessThan(190);
    expect(measure({ lifetimeS: 31 }).tookS).toBeLessThan(55);
    expect(measure({ server: 'dead' }).tookS).toBeLessThan(4);
    let lost = 0;
    expect(measure({ lifetimeS: 300, loses: () => lost++ % 2 === 0 }).sent).toBeLessThanOrEqual(192);
  });

  it('is not led astray by a packet in ten lost: it is hardly ever said to be other than it is', () => {
    const losses = fc.infiniteStream(fc.integer({ min: 0, max: 9 }));
    let wrong = 0;
    const property = fc.property(fc.constantFrom(15, 31, 100, 300), losses, (lifetimeS, stream) => {
      const found = atLeast({ lifetimeS, loses: () => stream.next().value === 0 });
      expect(found ?? 0).toBeLessThanOrEqual(lifetimeS);
      if (found !== atLeast({ lifetimeS })) wrong++;
    });
    fc.assert(property, { numRuns: 100, seed: 7 });
    expect(wrong).toBeLessThan(10);
  });

  it('is not changed by what did not come from the server, or is no answer', () => {
    const random = (length: number) => new Uint8Array(length).fill(7);
    const measurement = createBindingLifetimeMeasurement({ server: SERVER, random, now: 0 as Instant });
    const { datagram } = measurement.pollTransmit()!;
    const before = measurement.pollTimeout();
    const forged = createBindingServer({ sockets: { primary: SERVER } }).answer(datagram, SERVER, 'primary')!.datagram;
    measurement.handleDatagram(0, forged, { ...SERVER, port: 1 }, 10 as Instant);
    measurement.handleDatagram(0, datagram, SERVER, 10 as Instant);
    measurement.handleDatagram(0, new Uint8Array(3), SERVER, 10 as Instant);
    expect(measurement.pollTimeout()).toBe(before);
    expect(measurement.result()).toBeUndefined();
  });
});
