import { type IpAddress, parseIpAddress, WarrenError } from '@warren/base';
import { Namespace } from './namespace.js';
import type { Attachment, AttachOptions, Segment } from './segment.js';

/** On every cable's far end, as home and mobile providers do it: no two customers share a link. */
const GATEWAY = '169.254.1.1';
const GATEWAY6 = 'fe80::1';

/**
 * The public internet: one forwarding namespace to which everybody has a cable of their own. Addresses come from the
 * documentation ranges: 203.0.113.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849). Routers that know those ranges and refuse to
 * map ports to them may ask for an address in 11.0.0.0/24; its last number must be nobody else's.
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
    const ipv4 = this.takeAddress(options);
    const ipv6 = `2001:db8::${ipv4.split('.')[3]}` as IpAddress;
    const far = this.namespace.nextInterface('v');
    const near = options.interface;
    const up = [
      `link set ${far} up`,
      `address replace ${GATEWAY}/32 dev ${far}`,
      `address replace ${GATEWAY6}/64 dev ${far} nodad`,
      `route replace ${ipv4}/32 dev ${far}`,
      `route replace ${ipv6}/128 dev ${far}`,
    ];
    await this.namespace.configure({
      ip: [`link add ${far} type veth peer name ${near} netns ${namespace.name}`, ...up],
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
    // What is down has no routes, so they come back with the signal.
    const setLink = (isUp: boolean): Promise<void> =>
      this.namespace.configure({ ip: isUp ? up : [`link set ${far} down`] });
    return { interface: near, ipv4, ipv6, detach, setLink };
  }

  async delegate(to: Attachment, prefix = `2001:db8:${++this.delegated}::/64`): Promise<string> {
    await this.namespace.configure({ ip: [`route replace ${prefix} via ${to.ipv6}`] });
    return prefix;
  }

  private takeAddress({ ipv4: wanted, avoid }: AttachOptions): IpAddress {
    const free = wanted ?? range(2, 254).find((address) => !this.taken.has(address) && address !== avoid);
    const address = free === undefined ? undefined : parseIpAddress(free);
    const known = address?.startsWith('203.0.113.') || (wanted !== undefined && address?.startsWith('11.0.0.'));
    if (!address || !known || this.taken.has(address)) {
      throw new WarrenError('no-address', `${wanted ?? 'an address'} is not free in 203.0.113.0/24`);
    }
    this.taken.add(address);
    return address;
  }
}

const range = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => `203.0.113.${first + index}`);
