import {
  type IpAddress,
  ipFromBytes,
  ipToBytes,
  parsePrefix,
  prefixAddress,
  prefixContains,
  prefixLength,
  WarrenError,
} from '@warren/base';
import { type FirewallKind, renderBlock, renderFirewall, renderLoss } from './firewall.js';
import { Namespace } from './namespace.js';
import { type NatKind, type NatSite, renderNat } from './nat.js';
import type { Attachment, AttachOptions, Segment } from './segment.js';

export interface RouterOptions {
  /** Unique in the world. */
  readonly name: string;
  readonly nat: NatKind;
  /** The private IPv4 range inside, such as `192.168.1.0/24`; the router has its first address. */
  readonly lan: string;
  /** Where its other side is plugged in; the internet unless said. */
  readonly upstream?: Segment;
  readonly firewall?: FirewallKind;
  /** Of its outer side; the next free one unless said. */
  readonly publicAddress?: string;
  /** Whether the site also has IPv6, routed and behind the firewall, without NAT. Not unless said. */
  readonly ipv6?: boolean;
}

export interface RebootOptions {
  /** Whether the provider gives the router another public address. Not unless said. */
  readonly newAddress?: boolean;
}

const INSIDE = 'lan';
const OUTSIDE = 'wan';

/** While a router boots: before its kernel tracks a packet, so that no old flow is learned again. */
const BOOTING = `
flush ruleset
table inet booting {
  chain silence { type filter hook prerouting priority -400; policy drop; }
}
`;

/** A router with NAT and firewall between its own LAN and the segment that it is plugged into. */
export class Router implements Segment {
  private readonly taken = new Set<string>();
  private prefix6: string | undefined;
  private firewall: FirewallKind;

  private constructor(
    readonly name: string,
    private readonly upstream: Segment,
    private attachment: Attachment,
    private readonly namespace: Namespace,
    private readonly options: RouterOptions,
  ) {
    this.firewall = options.firewall ?? 'open';
  }

  /** Its side that faces the internet; another one after a reboot with a new address. */
  get outside(): Attachment {
    return this.attachment;
  }

  get nat(): NatKind {
    return this.options.nat;
  }

  get namespaceName(): string {
    return this.namespace.name;
  }

  static async create(namespaceName: string, upstream: Segment, options: RouterOptions): Promise<Router> {
    const lan = parsePrefix(options.lan);
    if (!lan) throw new WarrenError('bad-prefix', `${options.lan} is no IPv4 prefix`);
    const namespace = await Namespace.create(namespaceName, {
      ip: [`link add ${INSIDE} type bridge`, `link set ${INSIDE} up`],
      sysctl: {
        'net/ipv4/ip_forward': '1',
        'net/ipv6/conf/all/forwarding': '1',
        // Bridged frames through the NAT's rules would break hairpinning.
        'net/bridge/bridge-nf-call-iptables': '0',
        'net/bridge/bridge-nf-call-ip6tables': '0',
      },
    });
    const wanted = options.publicAddress === undefined ? {} : { ipv4: options.publicAddress };
    const outside = await upstream.attach(namespace, { interface: OUTSIDE, ...wanted });
    const router = new Router(options.name, upstream, outside, namespace, options);
    await router.configureInside();
    return router;
  }

  /**
   * Forgets every mapping and flow, as a router does that was switched off and on. Its LAN keeps its link and addresses.
   */
  async reboot(options: RebootOptions = {}): Promise<void> {
    await this.namespace.configure({ nft: BOOTING });
    if (options.newAddress) {
      await this.attachment.detach();
      const avoid = this.attachment.ipv4;
      this.attachment = await this.upstream.attach(this.namespace, { interface: OUTSIDE, avoid });
      if (this.prefix6) await this.upstream.delegate(this.attachment, this.prefix6);
    }
    await this.namespace.configure({ shell: ['conntrack -F'] });
    await this.namespace.configure({ nft: `flush ruleset${this.rules()}` });
  }

  /** Puts another firewall in the place of the one that is there, for flows that exist too. */
  async setFirewall(firewall: FirewallKind): Promise<void> {
    this.firewall = firewall;
    const nft = `table inet firewall\ndelete table inet firewall${this.renderFirewall()}`;
    await this.namespace.configure({ nft });
  }

  /** Loses a share, from 0 to 1, of the packets that it forwards. */
  async setLoss(share: number): Promise<void> {
    await this.namespace.configure({ nft: `table inet loss\ndelete table inet loss${renderLoss(share)}` });
  }

  /** Lets no UDP through to an address or from it, for flows that exist too; undefined: to all again. */
  async block(address: string | undefined): Promise<void> {
    await this.namespace.configure({ nft: `table inet blocked\ndelete table inet blocked${renderBlock(address)}` });
  }

  /** Whether its side that faces the internet has a signal. */
  async setUplink(up: boolean): Promise<void> {
    await this.attachment.setLink(up);
  }

  private async configureInside(): Promise<void> {
    const gateway = this.address(1);
    this.taken.add(gateway);
    const ip = [`address add ${gateway}/${this.lanLength()} dev ${INSIDE}`];
    if (this.options.ipv6) {
      this.prefix6 = await this.upstream.delegate(this.outside);
      if (this.prefix6) ip.push(`address add ${this.prefix6.replace('::/64', '::1/64')} dev ${INSIDE} nodad`);
    }
    await this.namespace.configure({ ip, nft: this.rules() });
    const { timeoutS } = this.options.nat;
    if (timeoutS === undefined) return;
    // The kernel's own entries carry a flow for as long as they live, whatever the maps have forgotten.
    const seconds = String(timeoutS);
    const udp = 'net/netfilter/nf_conntrack_udp_timeout';
    await this.namespace.configure({ sysctl: { [udp]: seconds, [`${udp}_stream`]: seconds } });
  }

  async attach(namespace: Namespace, options: AttachOptions): Promise<Attachment> {
    const ipv4 = this.takeAddress(options);
    const near = options.interface;
    const far = this.namespace.nextInterface('p');
    await this.namespace.configure({
      ip: [
        `link add ${far} type veth peer name ${near} netns ${namespace.name}`,
        `link set ${far} master ${INSIDE} up`,
      ],
    });
    const inner = [
      `address add ${ipv4}/${this.lanLength()} dev ${near}`,
      `link set ${near} up`,
      `route add default via ${this.address(1)} dev ${near}`,
    ];
    const ipv6 = this.prefix6?.replace('::/64', `::${ipv4.split('.')[3]}`) as IpAddress | undefined;
    if (ipv6) {
      inner.splice(1, 0, `address add ${ipv6}/64 dev ${near} nodad`);
      inner.push(`route add ::/0 via ${ipv6.replace(/::.*/, '::1')} dev ${near}`);
    }
    await namespace.configure({ ip: inner });
    const detach = async (): Promise<void> => {
      await this.namespace.configure({ ip: [`link del ${far}`] });
      this.taken.delete(ipv4);
    };
    const setLink = (up: boolean): Promise<void> =>
      this.namespace.configure({ ip: [`link set ${far} ${up ? 'up' : 'down'}`] });
    return { interface: near, ipv4, ...(ipv6 ? { ipv6 } : {}), detach, setLink };
  }

  async delegate(): Promise<undefined> {
    return undefined;
  }

  private lanLength(): number {
    return prefixLength(parsePrefix(this.options.lan)!);
  }

  /** The `index`-th address of the LAN. */
  private address(index: number): IpAddress {
    const bytes = ipToBytes(prefixAddress(parsePrefix(this.options.lan)!));
    const view = new DataView(bytes.buffer);
    view.setUint32(0, view.getUint32(0) + index);
    return ipFromBytes(bytes);
  }

  private rules(): string {
    return renderNat(this.options.nat, this.site()) + this.renderFirewall();
  }

  private renderFirewall(): string {
    const { nat } = this.options;
    const inputAccepted = 'masquerade' in nat && nat.masquerade === 'input-accepted';
    return renderFirewall(this.firewall, this.site(), inputAccepted);
  }

  private site(): NatSite {
    return { inside: INSIDE, outside: OUTSIDE, publicAddress: this.attachment.ipv4 };
  }

  private takeAddress({ ipv4: wanted, avoid }: AttachOptions): IpAddress {
    const prefix = parsePrefix(this.options.lan)!;
    const numbers = Array.from({ length: 250 }, (_, index) => this.address(index + 2));
    const free = numbers.find((number) => !this.taken.has(number) && number !== avoid);
    const address = (wanted as IpAddress | undefined) ?? free;
    if (!address || !prefixContains(prefix, address) || this.taken.has(address)) {
      throw new WarrenError('no-address', `${wanted ?? 'an address'} is not free in ${prefix}`);
    }
    this.taken.add(address);
    return address;
  }
}
