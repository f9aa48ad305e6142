import { type PublicKey, SecretKey } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REKEY_AFTER_TIME } from './constants.js';
import { type Host, seededRandom, twoHosts, type World } from './testing/two-devices.js';

/** One host's change of key, step by step as agents do it; after the last step the next change begins. */
class Rotation {
  #step = 0;
  #seed: number;
  #before: PublicKey | undefined;
  #old: SecretKey | undefined;
  #next: SecretKey | undefined;

  constructor(
    private readonly world: World,
    private readonly host: Host,
    private readonly other: Host,
    seed: number,
  ) {
    this.#seed = seed;
  }

  /** Made and installed; told to the other; both orders of hearing that it is over. */
  advance(otherFirst: boolean): void {
    const { world, host } = this;
    this.#step += 1;
    if (this.#step === 1) {
      this.#seed += 1;
      this.#before = host.publicKey;
      this.#old = new SecretKey(host.state.local.privateKey);
      this.#next = new SecretKey(seededRandom(this.#seed)(32));
      host.device.setLocalKeys({ privateKey: this.#old, other: this.#next }, world.now);
    } else if (this.#step === 2) {
      host.device.setLocalKeys({ privateKey: this.#next!, other: this.#old!, initiateWithOther: true }, world.now);
    } else if (this.#step === 3) {
      this.other.knows(host, { formerKey: this.#before!, previousKey: this.#before! });
    } else if (this.#step === (otherFirst ? 4 : 5)) {
      this.other.knows(host);
    } else {
      host.device.setLocalKeys({ privateKey: this.#next! }, world.now);
    }
    this.#step %= 5;
    world.collect(host);
    world.collect(this.other);
  }
}

const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('send' as const), fromAlice: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('rotate' as const),
      ofAlice: fc.boolean(),
      otherFirst: fc.boolean(),
      settle: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('advance' as const),
      by: fc.integer({ min: 1, max: REKEY_AFTER_TIME + 20_000 }),
    }),
  },
);

describe('two hosts whose keys change', () => {
  it('lose no packet and deliver none twice, whatever is under way and in whichever order they hear', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), fc.boolean(), fc.integer(), (actions, inMemory, seed) => {
        const { world, alice, bob } = twoHosts({}, inMemory);
        const ofAlice = new Rotation(world, alice, bob, seed);
        const ofBob = new Rotation(world, bob, alice, seed ^ 0x5a5a5a);
        const sent = { alice: [] as Uint8Array[], bob: [] as Uint8Array[] };
        let number = 0;
        for (const one of actions) {
          if (one.type === 'send') {
            number += 1;
            if (one.fromAlice) sent.alice.push(alice.send(bob, 100, number));
            else sent.bob.push(bob.send(alice, 100, number));
          } else if (one.type === 'advance') {
            world.advance(one.by);
          } else {
            (one.ofAlice ? ofAlice : ofBob).advance(one.otherFirst);
            // What is under way may arrive before or after.
            if (one.settle) world.settle();
          }
        }
        world.advance(30_000);
        expect(bob.delivered).toEqual(sent.alice);
        expect(alice.delivered).toEqual(sent.bob);
      }),
      { numRuns: 120 },
    );
  });
});
