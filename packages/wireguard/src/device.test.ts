import { isDrop, type Prefix, publicKeyFromBytes, SecretKey } from '@warren/base';
import { nobleProvider } from '@warren/crypto';
import { describe, expect, it } from 'vitest';
import { MAX_PENDING_TRANSMITS, MAX_STAGED_PACKETS, REKEY_AFTER_TIME } from './constants.js';
import type { PathId } from './device-api.js';
import { MESSAGE_TYPE } from './handshake/messages.js';
import { ipPacket } from './testing/packets.js';
import { connectedHosts, type Host, twoHosts, World } from './testing/two-devices.js';

const { initiation: INITIATION, transport: TRANSPORT } = MESSAGE_TYPE;
const psk = (fill: number): SecretKey => new SecretKey(new Uint8Array(32).fill(fill));

describe('sealing', () => {
  it.each([
    [60, 64],
    [64, 64],
    [65, 80],
    [1408, 1408],
    [1409, 1420],
    [1420, 1420],
  ])('pads %d bytes to %d: a multiple of 16, but not beyond the MTU', (length, padded) => {
    const { world, alice, bob } = connectedHosts();
    const packet = alice.send(bob, length);
    world.settle();
    expect(world.sent(TRANSPORT, alice)[0]!.transmit.datagram).toHaveLength(padded + 32);
    expect(bob.delivered).toEqual([packet]);
  });

  it('carries a packet larger than the MTU, unpadded', () => {
    const { world, alice, bob } = connectedHosts();
    const packet = alice.send(bob, 1601);
    world.settle();
    expect(bob.delivered).toEqual([packet]);
  });

  it('says why a packet cannot go', () => {
    const { world, alice, bob } = connectedHosts();
    const out = new Uint8Array(200);
    const seal = (packet: Uint8Array) => alice.device.sealPacket(packet, out, world.now);
    expect(seal(new Uint8Array(0))).toMatchObject({ reason: 'inner-packet-not-ip' });
    expect(seal(new Uint8Array(60))).toMatchObject({ reason: 'inner-packet-not-ip' });
    expect(seal(ipPacket(alice.address, bob.address).subarray(0, 19))).toMatchObject({ reason: 'inner-packet-not-ip' });
    const carol = world.addHost('carol');
    expect(seal(ipPacket(alice.address, carol.address))).toMatchObject({ reason: 'no-peer-for-destination' });
    alice.device.setPeer({ publicKey: carol.publicKey, allowedIps: [`${carol.address}/32` as Prefix] }, world.now);
    expect(seal(ipPacket(alice.address, carol.address))).toMatchObject({ reason: 'peer-without-path' });
    expect(Object.fromEntries(alice.device.drops())).toEqual({
      'inner-packet-not-ip': 3,
      'no-peer-for-destination': 1,
      'peer-without-path': 1,
    });
  });

  it('keeps the newest packets while there is no session', () => {
    const { world, alice, bob } = twoHosts();
    world.filter = () => false;
    const packets = Array.from({ length: MAX_STAGED_PACKETS + 3 }, (_, i) => alice.send(bob, 40, i));
    world.filter = () => true;
    world.advance(6_000);
    expect(bob.delivered).toEqual(packets.slice(3));
    expect(alice.device.drops().get('staged-packet-displaced')).toBe(3);
  });
});

describe('opening', () => {
  it('may write to where the datagram is, at the same place or anywhere across it', () => {
    for (const offset of [0, 5, 16, 20]) {
      const { world, alice, bob } = connectedHosts();
      world.filter = () => false;
      const packet = alice.send(bob);
      const { datagram } = world.sent(TRANSPORT, alice)[0]!.transmit;
      const memory = new Uint8Array(400);
      memory.set(datagram, 16);
      const out = memory.subarray(offset);
      const opened = bob.device.openDatagram(memory.subarray(16, 16 + datagram.length), alice.path, out, world.now);
      expect(opened).toMatchObject({ length: packet.length });
      expect(out.subarray(0, packet.length)).toEqual(packet);
    }
  });

  it('drops what would not fit into the buffer, whatever a remote sends', () => {
    const { world, alice, bob } = connectedHosts();
    world.filter = () => false;
    alice.send(bob, 1000);
    const { datagram } = world.sent(TRANSPORT, alice)[0]!.transmit;
    const opened = bob.device.openDatagram(datagram, alice.path, new Uint8Array(1000), world.now);
    expect(opened).toMatchObject({ reason: 'datagram-larger-than-buffer' });
  });

  it('drops an authentic packet whose own length field lies', () => {
    const { world, alice, bob } = connectedHosts();
    for (const length of [0, 19, 101, 65535]) {
      const packet = ipPacket(alice.address, bob.address, 96);
      packet.set([length >> 8, length & 0xff], 2);
      const out = new Uint8Array(200);
      const sealed = alice.device.sealPacket(packet, out, world.now);
      if (!isDrop(sealed)) bob.receive(out.slice(0, sealed.length), alice.path);
    }
    expect(bob.dropReasons()).toEqual(Array(4).fill('inner-packet-not-ip'));
  });

  it('counts bytes both ways, handshakes included', () => {
    const { world, alice, bob } = twoHosts();
    alice.send(bob, 100);
    world.settle();
    const [atAlice] = [...alice.device.peers()];
    const [atBob] = [...bob.device.peers()];
    expect(atAlice).toMatchObject({ txBytes: 148 + 144, rxBytes: 92 });
    expect(atBob).toMatchObject({ txBytes: 92, rxBytes: 148 + 144 });
    expect(atAlice!.lastHandshake).toBeGreaterThan(1_700_000_000_000);
  });

  it('carries IPv6', () => {
    const { world, alice, bob } = connectedHosts();
    alice.knows(bob, { allowedIps: ['fd00::2/128' as Prefix] });
    bob.knows(alice, { allowedIps: ['fd00::1/128' as Prefix] });
    const packet = ipPacket('fd00::1' as never, 'fd00::2' as never, 333);
    const out = new Uint8Array(400);
    const sealed = alice.device.sealPacket(packet, out, world.now);
    if (!isDrop(sealed)) bob.receive(out.slice(0, sealed.length), alice.path);
    expect(bob.delivered).toEqual([packet]);
  });
});

describe('initiations', () => {
  it('are refused when their timestamp is not later than the last one', () => {
    const { world, alice, bob } = twoHosts();
    alice.device.initiateHandshake(bob.publicKey, world.now);
    world.settle();
    const { datagram } = world.sent(INITIATION)[0]!.transmit;
    world.advance(1000);
    expect(bob.receive(datagram, alice.path)).toMatchObject({ reason: 'initiation-timestamp-replayed' });
  });

  it('are refused within 20 ms of the last one, and taken again after', () => {
    const { world, alice, bob } = twoHosts();
    world.filter = () => false;
    const initiate = (): Uint8Array => {
      alice.peer(bob).lastSentHandshake = Number.NEGATIVE_INFINITY;
      alice.device.initiateHandshake(bob.publicKey, world.now);
      world.settle();
      return world.log.pop()!.transmit.datagram;
    };
    const datagrams = [initiate(), initiate(), initiate()];
    expect(bob.receive(datagrams[0]!, alice.path)).toMatchObject({ length: 0 });
    world.now = (world.now + 19) as typeof world.now;
    expect(bob.receive(datagrams[1]!, alice.path)).toMatchObject({ reason: 'initiation-too-soon' });
    world.now = (world.now + 1) as typeof world.now;
    expect(bob.receive(datagrams[2]!, alice.path)).toMatchObject({ length: 0 });
  });

  it('are refused when the preshared keys differ, and the device says so by a drop', () => {
    const world = new World();
    const [alice, bob] = [world.addHost('alice'), world.addHost('bob')];
    alice.knows(bob, { presharedKey: psk(1) });
    bob.knows(alice, { presharedKey: psk(2) });
    alice.send(bob);
    world.settle();
    expect(alice.dropReasons()).toEqual(['handshake-not-authentic']);
    expect(bob.delivered).toEqual([]);
  });

  it('go nowhere for a peer whose key is of low order', () => {
    const { world, alice } = twoHosts();
    const publicKey = publicKeyFromBytes(new Uint8Array(32));
    alice.device.setPeer({ publicKey, allowedIps: [], path: 2 as PathId }, world.now);
    alice.device.initiateHandshake(publicKey, world.now);
    world.settle();
    expect(world.log).toEqual([]);
    expect(alice.device.drops().get('low-order-public-key')).toBe(1);
    expect(alice.state.indices.size).toBe(0);
  });
});

describe('sessions', () => {
  it('wait, as responder, for a first packet of the initiator before they seal', () => {
    const { world, alice, bob } = twoHosts();
    world.filter = ({ transmit }) => transmit.datagram[0] !== TRANSPORT;
    alice.device.initiateHandshake(bob.publicKey, world.now);
    world.settle();
    expect(bob.handshakes()).toBe(0);
    bob.send(alice);
    expect(world.sent(TRANSPORT, bob)).toHaveLength(0);
    world.filter = () => true;
    alice.send(bob); // confirms
    world.settle();
    expect(alice.delivered).toHaveLength(1);
    expect(bob.handshakes()).toBe(1);
  });

  it('still open, after a rekey, what was under way in the one before', () => {
    const { world, alice, bob } = connectedHosts();
    world.advance(REKEY_AFTER_TIME);
    const late: Uint8Array[] = [];
    world.filter = ({ transmit }) => {
      if (transmit.datagram[0] === TRANSPORT && late.length === 0) {
        late.push(transmit.datagram);
        return false;
      }
      return true;
    };
    const packet = alice.send(bob);
    world.settle();
    expect([alice.handshakes(), bob.handshakes()]).toEqual([1, 1]);
    bob.receive(late[0]!, alice.path);
    expect(bob.delivered).toEqual([packet]);
  });

  it('live on when the preshared key changes; the next handshake uses the new one', () => {
    const { world, alice, bob } = connectedHosts({ presharedKey: psk(1) });
    alice.knows(bob, { presharedKey: psk(2) });
    bob.knows(alice, { presharedKey: psk(2) });
    alice.send(bob);
    world.settle();
    expect(world.sent(INITIATION)).toHaveLength(0);
    expect(bob.delivered).toHaveLength(1);
    world.advance(REKEY_AFTER_TIME);
    alice.send(bob);
    world.settle();
    expect(alice.handshakes()).toBe(1);
  });

  it('never hold more than four indices a peer', () => {
    const { world, alice, bob } = twoHosts();
    for (let i = 0; i < 60; i++) {
      const [one, other] = i % 3 ? [alice, bob] : [bob, alice];
      one.device.initiateHandshake(other.publicKey, world.now);
      world.filter = () => i % 4 !== 0;
      world.advance(5_400);
      expect(alice.state.indices.size).toBeLessThanOrEqual(4);
      expect(bob.state.indices.size).toBeLessThanOrEqual(4);
    }
  });
});

describe('configuration', () => {
  it('gives a prefix to the last peer that claims it, and back to nobody when that one goes', () => {
    const world = new World();
    const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => world.addHost(name)) as [Host, Host, Host];
    alice.knows(bob, { allowedIps: ['10.1.0.0/16' as Prefix, '0.0.0.0/0' as Prefix] });
    alice.knows(carol, { allowedIps: ['10.1.0.0/16' as Prefix] });
    expect(alice.device.peerOf('10.1.2.3' as never)).toBe(carol.publicKey);
    expect(alice.device.peerOf('10.2.2.3' as never)).toBe(bob.publicKey);
    alice.device.removePeer(carol.publicKey);
    expect(alice.device.peerOf('10.1.2.3' as never)).toBe(bob.publicKey);
    alice.knows(bob, { allowedIps: [] });
    expect(alice.device.peerOf('10.1.2.3' as never)).toBeUndefined();
  });

  it('erases keys of a removed peer, forgets its indices and timers, and answers it no more', () => {
    const { world, alice, bob } = connectedHosts({ presharedKey: psk(4) });
    const { presharedKey, keypairs } = bob.peer(alice);
    const { sendKey, receiveKey } = keypairs.current!;
    alice.send(bob);
    bob.device.removePeer(alice.publicKey);
    world.settle();
    expect([...sendKey, ...receiveKey, ...presharedKey].every((byte) => byte === 0)).toBe(true);
    expect(bob.state.indices.size).toBe(0);
    expect(bob.device.pollTimeout()).toBeUndefined();
    expect(bob.dropReasons()).toEqual(['unknown-receiver-index']);
    world.advance(60_000);
    expect(bob.dropReasons()).toContain('unknown-peer');
    expect(world.log.every((flight) => flight.from === alice)).toBe(true);
    bob.device.removePeer(alice.publicKey); // unknown by now: nothing happens
  });

  it('ignores a peer that is the device itself', () => {
    const { world, alice } = twoHosts();
    alice.device.setPeer({ publicKey: alice.publicKey, allowedIps: ['10.0.0.9/32' as Prefix] }, world.now);
    expect(alice.device.peerOf('10.0.0.9' as never)).toBeUndefined();
  });

  it('takes a new private key: sessions end, peers that know the new key connect again', () => {
    const { world, alice, bob } = connectedHosts();
    const before = alice.publicKey;
    alice.device.setPrivateKey(new SecretKey(new Uint8Array(32).fill(9)), world.now);
    expect(alice.publicKey).not.toBe(before);
    bob.device.removePeer(before);
    bob.knows(alice);
    const packet = alice.send(bob);
    world.settle();
    expect(bob.delivered).toEqual([packet]);
  });

  it('removes the peer whose key the device itself takes', () => {
    const { world, alice } = twoHosts();
    const privateKey = new SecretKey(new Uint8Array(32).fill(5));
    const publicKey = publicKeyFromBytes(nobleProvider.publicKey(privateKey.expose()));
    alice.device.setPeer({ publicKey, allowedIps: ['10.0.0.9/32' as Prefix] }, world.now);
    alice.device.setPrivateKey(privateKey, world.now);
    expect([...alice.device.peers()].map((peer) => peer.publicKey)).not.toContain(publicKey);
    expect(alice.device.peerOf('10.0.0.9' as never)).toBeUndefined();
  });

  it('closes: every key overwritten, everything after dropped, the caller’s key untouched', () => {
    const { world, alice, bob } = connectedHosts();
    const { local } = alice.state;
    const { sendKey } = alice.peer(bob).keypairs.current!;
    alice.device.close();
    expect([...local.privateKey, ...sendKey].every((byte) => byte === 0)).toBe(true);
    bob.send(alice);
    world.settle();
    alice.send(bob);
    alice.knows(bob);
    expect(alice.dropReasons()).toEqual(['device-closed', 'device-closed']);
    expect([...alice.device.peers()]).toEqual([]);
    expect(alice.device.pollTimeout()).toBeUndefined();
    const key = psk(3);
    const world2 = new World();
    world2.addHost('x').device.setPrivateKey(key, world2.now);
    world2.hosts[0]!.device.close();
    expect(key.expose()[0]).toBe(3);
  });

  it('bounds what a shell that never drains leaves behind', () => {
    const { world, alice, bob } = connectedHosts();
    for (let i = 0; i < MAX_PENDING_TRANSMITS + 10; i++) {
      alice.state.transmit(alice.peer(bob), bob.path, new Uint8Array(1));
    }
    expect(alice.state.transmits.size).toBe(MAX_PENDING_TRANSMITS);
    expect(alice.device.drops().get('transmit-queue-full')).toBe(10);
    expect(world.now).toBeGreaterThan(0);
  });
});
