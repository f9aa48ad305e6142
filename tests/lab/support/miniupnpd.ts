import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execute, type Router, type World, waitUntil } from '@warren/netlab';

export interface MiniupnpdOptions {
  /** The port that will be mapped: a router filters nothing that it was asked to forward, whoever sends it. */
  readonly port: number;
  /** The only protocol that gets through to it. */
  readonly protocol: 'pcp' | 'nat-pmp' | 'upnp';
  /** Longest lifetime that PCP gets, seconds. */
  readonly maxLifetimeS?: number;
}

const HTTP_PORT = 5000;

/** Where miniupnpd puts its rules: before those of the router's own NAT. */
const TABLE = `
table inet miniupnpd {
  chain forward { type filter hook forward priority 0; policy accept; jump forwarded; }
  chain forwarded { }
  chain prerouting { type nat hook prerouting priority -110; policy accept; jump mapped; }
  chain mapped { }
  chain postrouting { type nat hook postrouting priority 90; policy accept; jump unmapped; }
  chain unmapped { }
}
`;

/** NAT-PMP and PCP share a port, and the first byte is the version (RFC 6887 §9). */
const CLOSED: Record<MiniupnpdOptions['protocol'], string> = {
  pcp: '',
  'nat-pmp': onlyWithout('udp dport 5351 @th,64,8 2 drop'),
  upnp: onlyWithout('udp dport 5351 drop'),
};

function onlyWithout(rule: string): string {
  return `
table inet only {
  chain input {
    type filter hook input priority 0; policy accept;
    ${rule}
  }
}
`;
}

/** Debian's miniupnpd on a router of the lab, with its nftables backend. */
export class Miniupnpd {
  #process: ChildProcess | undefined;
  #said = '';

  private constructor(
    private readonly router: Router,
    private readonly configuration: string,
    private readonly pidFile: string,
  ) {}

  static async start(world: World, router: Router, options: MiniupnpdOptions): Promise<Miniupnpd> {
    const folder = join(world.dir, `miniupnpd-${router.name}`);
    mkdirSync(folder, { recursive: true });
    const configuration = join(folder, 'conf');
    writeFileSync(configuration, render(options));
    const daemon = new Miniupnpd(router, configuration, join(folder, 'pid'));
    const open = `insert rule ip nat filtering udp dport ${options.port} accept\n`;
    await daemon.#enter(['nft', '-f', '-'], TABLE + CLOSED[options.protocol] + open);
    await daemon.start();
    return daemon;
  }

  /** What it maps now: lines of its nftables chain. */
  async mappings(): Promise<string[]> {
    const { stdout } = await this.#enter(['nft', 'list', 'chain', 'inet', 'miniupnpd', 'mapped']);
    return stdout.split('\n').filter((line) => line.includes('dnat'));
  }

  /** What it has printed. */
  get said(): string {
    return this.#said;
  }

  async start(): Promise<void> {
    this.#said = '';
    const command = ['miniupnpd', '-d', '-f', this.configuration, '-P', this.pidFile];
    const [file, ...args] = ['setpriv', '--pdeathsig', 'TERM', '--', ...this.#nsenter(), ...command];
    const child = spawn(file!, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#said = (this.#said + text).slice(-100_000);
      });
    }
    this.#process = child;
    await waitUntil(`miniupnpd to listen: ${this.#said}`, { timeoutMs: 10_000 }, () =>
      this.#said.includes('Listening for NAT-PMP/PCP traffic'),
    );
  }

  /** As when the router loses power: it ends, and its mappings are gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child && child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    await this.#enter(['nft', 'flush', 'chain', 'inet', 'miniupnpd', 'mapped']);
  }

  async #enter(command: readonly string[], input?: string) {
    const [file, ...args] = [...this.#nsenter(), ...command];
    const result = await execute(file!, args, input === undefined ? {} : { input });
    if (result.code !== 0) throw new Error(`${command.join(' ')}: ${result.stderr}`);
    return result;
  }

  #nsenter(): string[] {
    return ['nsenter', `--net=/run/netns/${this.router.namespaceName}`, '--'];
  }
}

const render = ({ maxLifetimeS = 86_400 }: MiniupnpdOptions): string => `
ext_ifname=wan
listening_ip=lan
http_port=${HTTP_PORT}
enable_natpmp=yes
enable_upnp=yes
secure_mode=yes
min_lifetime=1
max_lifetime=${maxLifetimeS}
clean_ruleset_interval=600
uuid=00000000-0000-4000-8000-000000000001
upnp_table_name=miniupnpd
upnp_nat_table_name=miniupnpd
upnp_forward_chain=forwarded
upnp_nat_chain=mapped
upnp_nat_postrouting_chain=unmapped
allow 1024-65535 192.168.0.0/16 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`;
