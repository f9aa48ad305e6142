import type { IpAddress, PublicKey } from '@warren/base';
import { encodeSocketAddress } from '@warren/udp';
import type { Device, Transmit } from '@warren/wireguard';
import { describe, expect, it } from 'vitest';
import { MachineDriver } from './machine-driver.js';
import { PathTable } from './path-table.js';

function setUp() {
  const paths = new PathTable(() => []);
  const path = paths.intern(encodeSocketAddress('192.0.2.1' as IpAddress, 1))!;
  const present = new Set<string>();
  const transmits: Transmit[] = [];
  const failing: PublicKey[] = [];
  const device = {
    pollTransmit: () => transmits.shift(),
    pollEvent: () => undefined,
    pollTimeout: () => undefined,
    pathOf: (peer: PublicKey) => (present.has(peer) ? path : undefined),
  } as Partial<Device> as Device;
  const driver = new MachineDriver({
    device,
    paths,
    send: () => undefined,
    onHandshakeFailing: (peer) => failing.push(peer),
    onHandshakeCompleted: () => undefined,
    onPeerHeard: () => undefined,
  });
  const initiate = (name: string): void => {
    transmits.push({ peer: name as PublicKey, path, datagram: Uint8Array.of(1, 0, 0, 0) });
    driver.settle();
  };
  return { present, failing, initiate };
}

describe('what drives the machine', () => {
  it('says after three initiations in a row without an answer that an endpoint is in doubt', () => {
    const { present, failing, initiate } = setUp();
    present.add('a');
    for (let i = 0; i < 7; i++) initiate('a');
    expect(failing).toEqual(['a', 'a']);
  });

  it('forgets the count of peers that were removed, whatever their number, and of no others', () => {
    const { present, failing, initiate } = setUp();
    present.add('stays');
    for (const name of ['stays', 'goes', 'stays', 'goes']) initiate(name);
    for (let i = 0; i < 2_000; i++) initiate(`passer-by ${i}`);
    initiate('stays');
    initiate('goes');
    expect(failing).toEqual(['stays']);
  });
});
