import { type IpAddress, parseIpAddress, WarrenError } from '@warren/base';
import { Namespace } from './namespace.js';
import type { Attachment, AttachOptions, Segment } from './segment.js';

/** On every cable's far end, as home and mobile providers do it: no two customers share a link. */
const GATEWAY = '169.254.1.1';
const GATEWAY6 = 'fe80::1';

/**
 * The public internet: one forwarding namespace to which everybody has a cable of their own. Addresses come from the
 * documentation ranges: 203.0.113.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849).
 */
export class Internet implements Segment {
  readonly name = 'internet';
  private readonly taken = new Set<string>();
  private delegated = 0;

  private constructor(private readonly namespace: Namespace) {}

  static async create(namespaceName: string): Promise<Internet> {
    const sysctl = { 'net/ipv4/ip_forward': '1', 'net/ipv6/conf/all/forwarding': '1' };
    // What nobody has is said to be unreachable, rather than lost in silence.
    const ip = ['route add unreachable default', 'route add unreachable ::/0'];
    return new Internet(await Namespace.create(namespaceName, { sysctl, ip }));
  }

  async attach(namespace: Namespace, options: AttachOptions): Promise<Attachment> {
    const ipv4 = this.takeAddress(options.ipv4);
    const ipv6 = `2001:db8::${ipv4.split('.')[3]}` as IpAddress;
    const far = this.namespace.nextInterface('v');
    const near = options.interface;
    await this.namespace.configure({
      ip: [
        `link add ${far} type veth peer name ${near} netns ${namespace.name}`,
        `address add ${GATEWAY}/32 dev ${far}`,
        `address add ${GATEWAY6}/64 dev ${far} nodad`,
        `link set ${far} up`,
        `route add ${ipv4}/32 dev ${far}`,
        `route add ${ipv6}/128 dev ${far}`,
      ],
    });
    await namespace.configure({
      ip: [
        `address add ${ipv4}/32 dev ${near}`,
        `address add ${ipv6}/128 dev ${near} nodad`,
        `link set ${near} up`,
        `route add default via ${GATEWAY} dev ${near} onlink`,
        `route add ::/0 via ${GATEWAY6} dev ${near}`,
      ],
    });
    const detach = async (): Promise<void> => {
      await this.namespace.configure({ ip: [`link del ${far}`] });
      this.taken.delete(ipv4);
    };
    return { interface: near, ipv4, ipv6, detach };
  }

  async delegate(to: Attachment): Promise<string> {
    this.delegated++;
    const prefix = `2001:db8:${this.delegated}::/64`;
    await this.namespace.configure({ ip: [`route add ${prefix} via ${to.ipv6}`] });
    return prefix;
  }

  private takeAddress(wanted: string | undefined): IpAddress {
    const free = wanted ?? range(2, 254).find((address) => !this.taken.has(address));
    const address = free === undefined ? undefined : parseIpAddress(free);
    if (!address?.startsWith('203.0.113.') || this.taken.has(address)) {
      throw new WarrenError('no-address', `${wanted ?? 'an address'} is not free in 203.0.113.0/24`);
    }
    this.taken.add(address);
    return address;
  }
}

const range = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `203.0.113.${first + index}`);
