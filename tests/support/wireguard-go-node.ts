import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Host, type HostProcess, meshProgram } from '@warren/netlab';
import { type WireGuardConfig, type WireGuardNode, waitFor } from './wireguard-node.js';

/** A program that is started with an interface's name and then driven by `wg`. */
export interface WireGuardProgram {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
}

const WIREGUARD_GO: WireGuardProgram = { name: 'wireguard-go', command: ['wireguard-go', '-f'] };

/** `agent wg` in the foreground, with packets plain or in batches. */
export const agentWgProgram = (packetPath: 'plain' | 'offload'): WireGuardProgram => ({
  name: `agent wg (${packetPath})`,
  command: [meshProgram('agent'), 'wg', '-f'],
  env: { WARREN_DATAPLANE: packetPath },
});

/** Debian's `wireguard-go`, or a program that behaves as it does, on a host of the lab, configured as its users do. */
export class WireGuardGoNode implements WireGuardNode {
  private constructor(
    readonly implementation: string,
    readonly host: Host,
    private readonly interfaceName: string,
    readonly process: HostProcess,
  ) {}

  static async start(host: Host, config: WireGuardConfig, program = WIREGUARD_GO): Promise<WireGuardGoNode> {
    const { interfaceName } = config;
    const [command, ...args] = program.command;
    const running = host.spawn(command, [...args, interfaceName], { env: { LOG_LEVEL: 'error', ...program.env } });
    await waitFor(program.name, async () => (await host.run('wg', ['show', interfaceName])).code === 0, 20_000);
    const file = join(host.dir, `${interfaceName}.conf`);
    writeFileSync(file, renderSetconf(config), { mode: 0o600 });
    const { code, stderr } = await host.run('wg', ['setconf', interfaceName, file]);
    if (code !== 0) throw new Error(`wg setconf: ${stderr}`);
    await host.configure([
      `link set dev ${interfaceName} mtu ${config.mtu} up`,
      ...config.addresses.map((address) => `address add ${address} dev ${interfaceName}`),
      ...config.peers.flatMap(({ allowedIps }) => allowedIps).map((ip) => `route replace ${ip} dev ${interfaceName}`),
    ]);
    return new WireGuardGoNode(program.name, host, interfaceName, running);
  }

  /** `wg set`; a key is written to a file of the host where the arguments have `{ key }`. */
  async set(...args: readonly (string | { readonly key: string })[]): Promise<void> {
    const words = args.map((arg, number) => {
      if (typeof arg === 'string') return arg;
      const path = join(this.host.dir, `key-${number}`);
      writeFileSync(path, `${arg.key}\n`, { mode: 0o600 });
      return path;
    });
    const { code, stderr } = await this.host.run('wg', ['set', this.interfaceName, ...words]);
    if (code !== 0) throw new Error(`wg set ${words.join(' ')}: ${stderr}`);
  }

  /** Where its first peer was last heard from, as `host:port`. */
  async endpoint(): Promise<string> {
    const { stdout } = await this.host.run('wg', ['show', this.interfaceName, 'endpoints']);
    return stdout.trim().split(/\s+/)[1] ?? '';
  }

  async lastHandshake(): Promise<number> {
    const { stdout } = await this.host.run('wg', ['show', this.interfaceName, 'latest-handshakes']);
    return Number(stdout.trim().split(/\s+/)[1] ?? 0);
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}

function renderSetconf(config: WireGuardConfig): string {
  const lines = ['[Interface]', `PrivateKey = ${config.privateKey}`, `ListenPort = ${config.listenPort}`];
  for (const peer of config.peers) {
    lines.push('[Peer]', `PublicKey = ${peer.publicKey}`, `AllowedIPs = ${peer.allowedIps.join(', ')}`);
    if (peer.presharedKey !== undefined) lines.push(`PresharedKey = ${peer.presharedKey}`);
    if (peer.endpoint !== undefined) lines.push(`Endpoint = ${peer.endpoint}`);
    if (peer.persistentKeepalive !== undefined) lines.push(`PersistentKeepalive = ${peer.persistentKeepalive}`);
  }
  return `${lines.join('\n')}\n`;
}
