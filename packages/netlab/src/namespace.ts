import { executeOrThrow } from './command.js';
import { NETNS_DIR } from './processes.js';

/** Lines for a namespace: `ip` commands, then kernel settings, then nftables, all in one program start. */
export interface NamespaceSetup {
  readonly ip?: readonly string[];
  /** `net/ipv4/ip_forward` → value; a setting that this kernel lacks is passed over. */
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly nft?: string;
  /** Lines of shell, after all else. */
  readonly shell?: readonly string[];
}

/** One network namespace. It lives until the world removes it. */
export class Namespace {
  private interfaces = 0;

  private constructor(readonly name: string) {}

  /**
   * Makes the namespace with loopback up and without duplicate address detection, which would keep every IPv6 address
   * tentative for a second.
   */
  static async create(name: string, setup: NamespaceSetup = {}): Promise<Namespace> {
    await executeOrThrow('ip', ['netns', 'add', name]);
    const namespace = new Namespace(name);
    const sysctl = {
      'net/ipv6/conf/all/accept_dad': '0',
      'net/ipv6/conf/default/accept_dad': '0',
      'net/ipv6/conf/all/disable_ipv6': '0',
      'net/ipv6/conf/default/disable_ipv6': '0',
      // A user may ping without any privilege, as on an ordinary host.
      'net/ipv4/ping_group_range': '0 2147483647',
      ...setup.sysctl,
    };
    await namespace.configure({ ...setup, ip: ['link set lo up', ...(setup.ip ?? [])], sysctl });
    return namespace;
  }

  /** An interface name that nothing in this namespace has had before. */
  nextInterface(stem: string): string {
    this.interfaces++;
    return `${stem}${this.interfaces}`;
  }

  /** @throws WarrenError `command-failed` with the tool's own words and the lines it was given. */
  async configure(setup: NamespaceSetup): Promise<void> {
    const script = [
      'set -e',
      ...Object.entries(setup.sysctl ?? {}).map(
        ([key, value]) => `[ ! -e /proc/sys/${key} ] || echo ${value} > /proc/sys/${key}`,
      ),
      ...hereDocument('ip -batch -', setup.ip ?? []),
      ...hereDocument('nft -f -', setup.nft ? [setup.nft] : []),
      ...(setup.shell ?? []),
    ].join('\n');
    await executeOrThrow('nsenter', [`--net=${NETNS_DIR}/${this.name}`, 'sh'], { input: script });
  }
}

function hereDocument(command: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${command} <<'END-OF-LINES'`, ...lines, 'END-OF-LINES'];
}
