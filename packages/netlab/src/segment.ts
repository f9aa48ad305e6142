import type { IpAddress } from '@warren/base';
import type { Namespace } from './namespace.js';

/** How a namespace is connected to a segment. */
export interface Attachment {
  readonly interface: string;
  readonly ipv4: IpAddress;
  /** Absent where the segment has no IPv6. */
  readonly ipv6?: IpAddress;
  /** Pulls the cable: the interface and its routes are gone on both ends. */
  detach(): Promise<void>;
  /** Takes away the far end's signal, or gives it back: the interface stays, with addresses and routes, without carrier. */
  setLink(up: boolean): Promise<void>;
}

export interface AttachOptions {
  /** Name of the new interface in the namespace. */
  readonly interface: string;
  /** An address of the segment's range; the next free one when absent. */
  readonly ipv4?: string;
  /** An address that is not handed out although it is free. */
  readonly avoid?: string;
}

/** Something that hosts and routers can be plugged into: the internet, or a router's LAN. It hands out addresses. */
export interface Segment {
  readonly name: string;
  /** Makes an interface with addresses and default routes in the namespace. */
  attach(namespace: Namespace, options: AttachOptions): Promise<Attachment>;
  /**
   * Routes a /64 of its own to an attached router: `prefix` when it has had it before. Undefined where the segment has no
   * prefixes to give.
   */
  delegate(to: Attachment, prefix?: string): Promise<string | undefined>;
}
