import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KEEPALIVE_TIMEOUT, REKEY_TIMEOUT } from './constants.js';
import type { PathId } from './device-api.js';
import { type Flight, type Host, twoHosts, type World } from './testing/two-devices.js';

const SECOND = 1000;
const SOAK = process.env.WARREN_SOAK !== undefined;
const RUNS = SOAK ? 1_000 : 25;
/** Time for a soak; otherwise for a busy machine. */
const TIMEOUT = SOAK ? 3_600_000 : 90_000;
/** A dead session is noticed after KEEPALIVE_TIMEOUT + REKEY_TIMEOUT; the handshake may have to be repeated once. */
const RECOVERY = KEEPALIVE_TIMEOUT + 3 * REKEY_TIMEOUT + 3 * SECOND;

const disturbance = fc.record({
  what: fc.constantFrom('talk', 'both initiate', 'alice roams', 'bob forgets alice', 'both forget', 'load', 'silence'),
  wait: fc.constantFrom(0, 10, 900, 5_100, 14_000, 61_000, 179_000, 600_000),
  /** Which datagrams get through meanwhile: by sender and by number. */
  pass: fc.constantFrom('all', 'none', 'of alice', 'of bob', 'every other'),
});

function filterOf(pass: string, alice: Host): (flight: Flight) => boolean {
  let count = 0;
  return ({ from }) => {
    count += 1;
    if (pass === 'every other') return count % 2 === 0;
    return pass === 'all' || pass === (from === alice ? 'of alice' : 'of bob');
  };
}

function forget(host: Host, other: Host): void {
  host.device.removePeer(other.publicKey);
  host.knows(other);
}

function disturb(what: string, world: World, alice: Host, bob: Host): void {
  if (what === 'talk')
    for (const [one, other] of [
      [alice, bob],
      [bob, alice],
    ] as const)
      one.send(other);
  if (what === 'both initiate') {
    alice.device.initiateHandshake(bob.publicKey, world.now);
    bob.device.initiateHandshake(alice.publicKey, world.now);
  }
  if (what === 'alice roams') alice.path = ((alice.path % 50) + 51) as PathId;
  if (what === 'bob forgets alice' || what === 'both forget') forget(bob, alice);
  if (what === 'both forget') forget(alice, bob);
  bob.device.setUnderLoad(what === 'load');
}

describe('two peers', () => {
  it('reach each other again soon after any disturbance, and then lose nothing', { timeout: TIMEOUT }, () => {
    fc.assert(
      fc.property(fc.array(disturbance, { minLength: 1, maxLength: 12 }), (disturbances) => {
        const { world, alice, bob } = twoHosts();
        for (const { what, wait, pass } of disturbances) {
          world.filter = filterOf(pass, alice);
          disturb(what, world, alice, bob);
          world.advance(wait);
        }
        world.filter = () => true;
        bob.device.setUnderLoad(false);
        const talk = (seconds: number): void => {
          for (let second = 0; second < seconds; second++) {
            alice.send(bob);
            bob.send(alice);
            world.advance(SECOND);
          }
        };
        talk(RECOVERY / SECOND);
        for (const host of [alice, bob]) host.delivered.length = 0;
        talk(150);
        expect([alice.delivered.length, bob.delivered.length]).toEqual([150, 150]);
        expect(alice.state.indices.size).toBeLessThanOrEqual(4);
        expect(bob.state.indices.size).toBeLessThanOrEqual(4);
      }),
      { numRuns: RUNS, seed: Number(process.env.WARREN_SEED ?? 8) },
    );
  });
});
