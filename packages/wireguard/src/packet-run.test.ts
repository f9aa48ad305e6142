import { isDrop, type Prefix } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REJECT_AFTER_MESSAGES } from './constants.js';
import { MESSAGE_TYPE } from './handshake/messages.js';
import { ipPacket } from './testing/packets.js';
import { connectedHosts, twoHosts } from './testing/two-devices.js';

const packets = (count: number, alice: { address: string }, bob: { address: string }, length = 100): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => ipPacket(alice.address as never, bob.address as never, length, i));

describe('a run of packets', () => {
  it('gives the datagrams that packets one by one give, of every length', () => {
    const lengths = fc.array(fc.integer({ min: 20, max: 1420 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(lengths, (sizes) => {
        const one = connectedHosts();
        const run = connectedHosts({}, true);
        const made = sizes.map((size, i) => ipPacket(one.alice.address, one.bob.address, size, i));
        for (const [i, size] of sizes.entries()) one.alice.send(one.bob, size, i);
        run.alice.sendRun(run.bob, made);
        const hex = ({ world }: typeof one): string[] =>
          world.log.map(({ transmit }) => Buffer.from(transmit.datagram).toString('hex'));
        expect(hex(run)).toEqual(hex(one));
        run.world.settle();
        expect(run.bob.delivered).toEqual(made);
        expect(run.alice.peer(run.bob).txBytes).toBe(one.alice.peer(one.bob).txBytes);
        expect(run.alice.peer(run.bob).timers).toEqual(one.alice.peer(one.bob).timers);
      }),
      { numRuns: 30 },
    );
  });

  it('waits for a session, all of it, and then arrives in order', () => {
    const { world, alice, bob } = twoHosts({}, true);
    const made = packets(7, alice, bob);
    alice.sendRun(bob, made);
    expect(world.log.map(({ transmit }) => transmit.datagram[0])).toEqual([MESSAGE_TYPE.initiation]);
    world.settle();
    expect(bob.delivered).toEqual(made);
  });

  it('stops sealing at REJECT_AFTER_MESSAGES in its middle, and stages the rest', () => {
    const { world, alice, bob } = connectedHosts({}, true);
    alice.peer(bob).keypairs.current!.skipCounters(REJECT_AFTER_MESSAGES - 2);
    world.advance(6_000);
    alice.sendRun(bob, packets(4, alice, bob));
    const types = world.log.map(({ transmit }) => transmit.datagram[0]);
    expect(types.filter((type) => type === MESSAGE_TYPE.transport)).toHaveLength(2);
    expect(types).toContain(MESSAGE_TYPE.initiation);
    expect(alice.peer(bob).staged.size).toBe(2);
  });

  it('is refused without a peer for the destination, without a path, and for what is not IP', () => {
    const { world, alice, bob } = connectedHosts({}, true);
    const reason = (packet: Uint8Array): string => {
      alice.memory.set(packet);
      const run = alice.device.beginRun(0, packet.length, world.now);
      return isDrop(run) ? run.reason : 'sealing';
    };
    const [packet] = packets(1, alice, bob);
    expect(reason(packet!)).toBe('sealing');
    expect(reason(ipPacket(alice.address, '10.9.9.9' as never, 60, 0))).toBe('no-peer-for-destination');
    expect(reason(new Uint8Array(60))).toBe('inner-packet-not-ip');
    expect(alice.device.drops().get('no-peer-for-destination')).toBe(1);
  });

  it('delivers nothing from an address that is not the peer’s, damaged or repeated', () => {
    const { world, alice, bob } = connectedHosts({}, true);
    alice.send(bob);
    const { transmit } = world.log.at(-1)!;
    world.settle();
    bob.receive(transmit.datagram, alice.path);
    const damaged = transmit.datagram.slice();
    damaged[40]! ^= 1;
    damaged[8] = 200;
    bob.receive(damaged, alice.path);
    bob.device.setPeer({ publicKey: alice.publicKey, allowedIps: ['10.5.0.0/16' as Prefix] }, world.now);
    alice.send(bob);
    world.settle();
    expect(bob.dropReasons()).toEqual(['counter-replayed', 'transport-not-authentic', 'inner-source-not-allowed']);
    expect(bob.delivered).toHaveLength(1);
  });
});
