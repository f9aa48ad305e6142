import type { NodeId } from '@warren/base';

/** Tells when a node comes into a map and when it goes; one that is replaced does neither. */
export class PresenceMap<T> extends Map<NodeId, T> {
  constructor(private readonly told: (node: NodeId, present: boolean) => void) {
    super();
  }

  override set(node: NodeId, value: T): this {
    const isNew = !this.has(node);
    super.set(node, value);
    if (isNew) this.told(node, true);
    return this;
  }

  override delete(node: NodeId): boolean {
    const known = super.delete(node);
    if (known) this.told(node, false);
    return known;
  }

  override clear(): void {
    const nodes = [...this.keys()];
    super.clear();
    for (const node of nodes) this.told(node, false);
  }
}
