import { ipToBytes, type Prefix, prefixAddress, prefixLength } from '@warren/base';

interface Node<Owner> {
  /** 4 or 16 bytes; bits from `length` on are zero. */
  readonly bits: Uint8Array;
  readonly length: number;
  /** Undefined: a fork only. */
  owner: Owner | undefined;
  readonly children: [Node<Owner> | undefined, Node<Owner> | undefined];
}

/**
 * Cryptokey routing: prefixes to owners, the longest match wins, a prefix has one owner. A path-compressed binary
 * trie for each family: at most two nodes a prefix, looked up without allocating. WireGuard paper §2.
 */
export class AllowedIps<Owner> {
  #v4: Node<Owner> | undefined;
  #v6: Node<Owner> | undefined;
  readonly #owned = new Map<Owner, Map<Prefix, Node<Owner>>>();

  /** Gives `prefix` to `owner`, whoever had it before. */
  insert(prefix: Prefix, owner: Owner): void {
    const bits = ipToBytes(prefixAddress(prefix));
    const node = this.#place(bits, prefixLength(prefix));
    if (node.owner !== undefined) this.#owned.get(node.owner)?.delete(prefix);
    node.owner = owner;
    const owned = this.#owned.get(owner);
    if (owned) owned.set(prefix, node);
    else this.#owned.set(owner, new Map([[prefix, node]]));
  }

  /** Takes `prefix` from `owner`; nothing happens unless it has it. */
  remove(prefix: Prefix, owner: Owner): void {
    const node = this.#owned.get(owner)?.get(prefix);
    if (!node) return;
    this.#owned.get(owner)!.delete(prefix);
    node.owner = undefined;
    this.#prune(node);
  }

  /** Takes everything from `owner`. */
  removeOwner(owner: Owner): void {
    for (const prefix of this.prefixesOf(owner)) this.remove(prefix, owner);
    this.#owned.delete(owner);
  }

  /** A snapshot, in the order in which they were given. */
  prefixesOf(owner: Owner): Prefix[] {
    return [...(this.#owned.get(owner)?.keys() ?? [])];
  }

  /** The owner of the longest prefix that holds the address of 4 or 16 bytes at `offset`. */
  lookup(bytes: Uint8Array, offset: number, width: 4 | 16): Owner | undefined {
    let node = width === 4 ? this.#v4 : this.#v6;
    let found: Owner | undefined;
    while (node && commonBits(node.bits, bytes, offset, node.length) === node.length) {
      if (node.owner !== undefined) found = node.owner;
      if (node.length === width * 8) break;
      node = node.children[bitAt(bytes, offset, node.length)];
    }
    return found;
  }

  /** The node of exactly these bits, made where it is missing. */
  #place(bits: Uint8Array, length: number): Node<Owner> {
    let parent: Node<Owner> | undefined;
    let node = this.#root(bits);
    while (node && node.length <= length && commonBits(node.bits, bits, 0, node.length) === node.length) {
      if (node.length === length) return node;
      parent = node;
      node = node.children[bitAt(bits, 0, node.length)];
    }
    const made = makeNode<Owner>(bits, length);
    if (!node) {
      this.#attach(parent, made);
      return made;
    }
    const common = commonBits(node.bits, bits, 0, Math.min(length, node.length));
    if (common === length) {
      made.children[bitAt(node.bits, 0, length)] = node;
      this.#attach(parent, made);
      return made;
    }
    const fork = makeNode<Owner>(masked(bits, common), common);
    fork.children[bitAt(bits, 0, common)] = made;
    fork.children[bitAt(node.bits, 0, common)] = node;
    this.#attach(parent, fork);
    return made;
  }

  /** Removes a node without owner if it forks nothing, and then its parent on the same condition. */
  #prune(node: Node<Owner>): void {
    const path: (Node<Owner> | undefined)[] = [undefined];
    for (
      let step = this.#root(node.bits);
      step && step !== node;
      step = step.children[bitAt(node.bits, 0, step.length)]
    ) {
      path.push(step);
    }
    let empty: Node<Owner> | undefined = node;
    while (empty && empty.owner === undefined && !(empty.children[0] && empty.children[1])) {
      const parent: Node<Owner> | undefined = path.pop();
      const only: Node<Owner> | undefined = empty.children[0] ?? empty.children[1];
      if (parent) parent.children[bitAt(empty.bits, 0, parent.length)] = only;
      else this.#setRoot(empty.bits, only);
      empty = parent;
    }
  }

  #attach(parent: Node<Owner> | undefined, node: Node<Owner>): void {
    if (parent) parent.children[bitAt(node.bits, 0, parent.length)] = node;
    else this.#setRoot(node.bits, node);
  }

  #root(bits: Uint8Array): Node<Owner> | undefined {
    return bits.length === 4 ? this.#v4 : this.#v6;
  }

  #setRoot(bits: Uint8Array, node: Node<Owner> | undefined): void {
    if (bits.length === 4) this.#v4 = node;
    else this.#v6 = node;
  }
}

const makeNode = <Owner>(bits: Uint8Array, length: number): Node<Owner> => ({
  bits,
  length,
  owner: undefined,
  children: [undefined, undefined],
});

/** Bit `index` from the most significant one. */
const bitAt = (bytes: Uint8Array, offset: number, index: number): 0 | 1 =>
  ((bytes[offset + (index >> 3)]! >> (7 - (index & 7))) & 1) as 0 | 1;

/** How many of the first `limit` bits are equal. */
function commonBits(a: Uint8Array, b: Uint8Array, bOffset: number, limit: number): number {
  for (let i = 0; i * 8 < limit; i++) {
    const difference = a[i]! ^ b[bOffset + i]!;
    if (difference !== 0) return Math.min(limit, i * 8 + Math.clz32(difference) - 24);
  }
  return limit;
}

function masked(bits: Uint8Array, length: number): Uint8Array {
  return bits.map((byte, i) => byte & (0xff00 >> Math.max(0, Math.min(8, length - i * 8))));
}
