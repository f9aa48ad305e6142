import type { PublicKey } from '@warren/base';
import type { DataPlaneKeys } from '@warren/dataplane';
import type { SelfDescription } from '../codec/domain.js';
import type { RotationRequest } from '../control/key-rotation-exchange.js';
import { describeError, RefusedError } from '../errors.js';
import type { Log } from '../log.js';
import type { NetworkState } from '../state/network-state.js';
import { generateWireguardKey, type NodeKeys, x25519PublicKey } from '../state/node-keys.js';
import type { PendingRotation } from '../state/pending-rotation.js';

export interface KeyRotationOptions {
  readonly state: Pick<NetworkState, 'saveKeys' | 'pendingRotation' | 'savePendingRotation' | 'removePendingRotation'>;
  /** Has the control plane take the new key. */
  readonly exchange: (request: RotationRequest) => Promise<unknown>;
  /** Gives the data plane its keys. Called only inside `serialise`, or by whoever is in it. */
  readonly apply: (keys: DataPlaneKeys) => Promise<void>;
  /** Runs one action after the other, with everything else that changes this network. */
  readonly serialise: <T>(action: () => Promise<T>) => Promise<T>;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
}

/** A change that has happened. */
export interface Rotated {
  readonly before: PublicKey;
  readonly after: PublicKey;
  readonly generation: number;
}

/** How long a change waits for the one before it to be over, milliseconds. */
const PATIENCE = 5_000;
/** After an attempt that failed, if nobody asks for another at the keyboard; and the least age that a schedule can mean; milliseconds. */
const RETRY = 60_000;
/** Scheduled changes come up to this part of their interval early, so that nodes that joined together do not change together. */
const JITTER = 0.1;
/** Refusals of a key that was not taken before either: the control plane looks at that first. Others may come of what happened since. */
const NOT_TAKEN = ['record-bad', 'record-stale', 'possession-unproven', 'key-banned', 'key-taken', 'key-changed'];

/**
 * Changes this node's WireGuard key while its sessions go on (ADR 0026). In this order: the next key is made, written down and
 * installed beside the one in use; the control plane takes it; it is the one in use, and the one before is accepted and begun with
 * until the control plane says that nobody needs it. Whatever ends this process in between, the next one goes on from there.
 */
export class KeyRotation {
  #keys: NodeKeys;
  #publicKey: PublicKey;
  #pending: PendingRotation | undefined;
  /** Whether the pending key was asked for and no answer came: all others may know it by now. */
  #mayBeTaken = false;
  #turn: Promise<unknown> = Promise.resolve();
  #busy = 0;
  #triedAt = Number.NEGATIVE_INFINITY;
  #jitter: number;
  /** What the control plane said last of our previous key, and the last one that it named. */
  #told: PublicKey | undefined;
  #named: PublicKey | undefined;
  /** Whether that was said after the last change, and whether the stream began after it: then it will be. */
  #current = true;
  #laterStream = true;
  #wanted = 0;
  #interval = 0;
  #waiting: (() => void)[] = [];

  private constructor(
    private readonly options: KeyRotationOptions,
    keys: NodeKeys,
    private readonly joinedAt: number,
  ) {
    this.#keys = keys;
    this.#publicKey = x25519PublicKey(keys.wireguard);
    this.#jitter = options.random();
  }

  /** @param joinedAt when the first key was made, Unix milliseconds. */
  static async open(options: KeyRotationOptions, keys: NodeKeys, joinedAt: number): Promise<KeyRotation> {
    const rotation = new KeyRotation(options, keys, joinedAt);
    const pending = await options.state.pendingRotation();
    // It was taken, and only the note of it is left.
    if (pending && pending.generation <= keys.generation) await options.state.removePendingRotation();
    else rotation.#pending = pending;
    rotation.#mayBeTaken = rotation.#pending !== undefined;
    return rotation;
  }

  /** As they are on disk. */
  get keys(): NodeKeys {
    return this.#keys;
  }

  get publicKey(): PublicKey {
    return this.#publicKey;
  }

  /** What the data plane is to have now; the keys stay ours. */
  dataPlaneKeys(): DataPlaneKeys {
    const { wireguard: privateKey, previousWireguard } = this.#keys;
    if (this.#pending) return { privateKey, other: this.#pending.wireguard };
    return previousWireguard ? { privateKey, other: previousWireguard, initiateWithOther: true } : { privateKey };
  }

  /**
   * Changes the key now, after a change that is under way.
   * @throws as `exchangeRotation`; then the key is the one before, or, when the answer was lost, the change goes on by itself later.
   */
  rotate(compromised: boolean): Promise<Rotated> {
    this.#busy += 1;
    const result = this.#turn
      .then(() => this.#rotate(compromised))
      .finally(() => {
        this.#busy -= 1;
      });
    this.#turn = result.catch(() => undefined); // the caller has the error
    return result;
  }

  /** A stream to the control plane begins: what it says of us is true from now on. */
  noteStream(): void {
    this.#laterStream = true;
  }

  /** What the control plane says of our keys. Called inside `serialise`. */
  async follow({ previousKey, rotateGeneration, keyRotationMs }: SelfDescription): Promise<void> {
    this.#current ||= this.#laterStream;
    this.#told = previousKey;
    this.#named = previousKey ?? this.#named;
    this.#wanted = rotateGeneration;
    this.#interval = keyRotationMs;
    await this.#retireIfOver();
  }

  /** Called now and then while the control plane is there: does what is due, in the background. */
  tick(): void {
    const { now, log } = this.options;
    if (this.#busy > 0 || !this.#isDue() || now() - this.#triedAt < RETRY) return;
    this.#triedAt = now();
    this.rotate(this.#pending?.compromised ?? false).then(
      ({ generation }) => {
        this.#triedAt = Number.NEGATIVE_INFINITY;
        log('info', `the WireGuard key was changed, generation ${generation}`);
      },
      (error: unknown) => log('warn', `the WireGuard key was not changed: ${describeError(error).message}`),
    );
  }

  #isDue(): boolean {
    if (this.#pending || this.#wanted > this.#keys.generation) return true;
    if (this.#interval === 0) return false;
    const { changedAt } = this.#keys;
    const age = this.options.now() - (changedAt ?? this.joinedAt);
    const due = this.#interval * (1 - JITTER * this.#jitter);
    return age >= (changedAt === undefined ? due : Math.max(due, RETRY));
  }

  async #rotate(compromised: boolean): Promise<Rotated> {
    // A change that was begun before is finished first; it is the one that was asked for unless this one is in a hurry.
    const resumed = this.#pending && (await this.#finish(this.#pending));
    if (resumed && (!compromised || this.#keys.previousWireguard === undefined)) return resumed;
    if (!compromised) await this.#overlapOver();
    return this.#finish(await this.options.serialise(() => this.#begin(compromised)));
  }

  /** Writes the next key down and has it accepted. */
  async #begin(compromised: boolean): Promise<PendingRotation> {
    const { state, apply } = this.options;
    await this.#retire();
    const generation = Math.max(this.#keys.generation + 1, this.#wanted);
    const pending = { wireguard: generateWireguardKey(), generation, compromised };
    await state.savePendingRotation(pending);
    this.#pending = pending;
    this.#mayBeTaken = false;
    await apply(this.dataPlaneKeys());
    return pending;
  }

  async #finish(pending: PendingRotation): Promise<Rotated> {
    const { exchange, serialise } = this.options;
    const { wireguard, generation, compromised } = pending;
    const { previousWireguard: _, ...rest } = this.#keys;
    const keys: NodeKeys = { ...rest, wireguard, generation, changedAt: this.options.now() };
    let asked = false;
    const onAsked = (): void => {
      asked = true;
    };
    try {
      await exchange({ keys, compromised, onAsked });
    } catch (error) {
      // Heard and refused, or not heard: nobody has the new key. Else it may have been taken, and it is asked for again.
      const refused = error instanceof RefusedError && (!this.#mayBeTaken || NOT_TAKEN.includes(error.code));
      if (refused || !(asked || this.#mayBeTaken)) await serialise(() => this.#drop(pending));
      else this.#mayBeTaken = true;
      throw error;
    }
    return serialise(() => this.#commit(keys, compromised));
  }

  async #commit(keys: NodeKeys, compromised: boolean): Promise<Rotated> {
    const { state, apply } = this.options;
    const [before, old] = [this.#publicKey, this.#keys.wireguard];
    this.#current = false;
    this.#laterStream = false;
    await this.#use(compromised ? keys : { ...keys, previousWireguard: old });
    this.#pending = undefined;
    await state.removePendingRotation();
    await apply({ ...this.dataPlaneKeys(), ...(compromised && { endSessions: true }) });
    if (compromised) old.erase();
    await this.#retireIfOver();
    return { before, after: this.#publicKey, generation: keys.generation };
  }

  async #drop(pending: PendingRotation): Promise<void> {
    this.#pending = undefined;
    await this.options.state.removePendingRotation();
    await this.options.apply(this.dataPlaneKeys());
    pending.wireguard.erase();
  }

  async #use(keys: NodeKeys): Promise<void> {
    await this.options.state.saveKeys(keys);
    this.#keys = keys;
    this.#publicKey = x25519PublicKey(keys.wireguard);
    this.#jitter = this.options.random();
  }

  async #retireIfOver(): Promise<void> {
    const { previousWireguard } = this.#keys;
    if (!previousWireguard) return;
    const key = x25519PublicKey(previousWireguard);
    // What it said before it took our key says nothing of this one.
    if (this.#told !== key && (this.#current || this.#named === key)) await this.#retire();
  }

  /** The key before is of no use any more. */
  async #retire(): Promise<void> {
    const { previousWireguard, ...keys } = this.#keys;
    if (!previousWireguard) return;
    await this.#use(keys);
    await this.options.apply(this.dataPlaneKeys());
    previousWireguard.erase();
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Settles when no one uses the key before the one in use any more, or after a while: then it is given up. */
  async #overlapOver(): Promise<void> {
    if (!this.#keys.previousWireguard) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, PATIENCE);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
