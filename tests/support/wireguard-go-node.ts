import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host, HostProcess } from '@warren/netlab';
import { type WireGuardConfig, type WireGuardNode, waitFor } from './wireguard-node.js';

/** Debian's `wireguard-go` on a host of the lab, configured with `wg setconf` as its users do. */
export class WireGuardGoNode implements WireGuardNode {
  readonly implementation = 'wireguard-go';

  private constructor(
    readonly host: Host,
    private readonly interfaceName: string,
    private readonly process: HostProcess,
  ) {}

  static async start(host: Host, config: WireGuardConfig): Promise<WireGuardGoNode> {
    const { interfaceName } = config;
    const running = host.spawn('wireguard-go', ['-f', interfaceName], { env: { LOG_LEVEL: 'error' } });
    await waitFor('wireguard-go', async () => (await host.run('wg', ['show', interfaceName])).code === 0);
    const file = join(host.dir, `${interfaceName}.conf`);
    writeFileSync(file, renderSetconf(config), { mode: 0o600 });
    const { code, stderr } = await host.run('wg', ['setconf', interfaceName, file]);
    if (code !== 0) throw new Error(`wg setconf: ${stderr}`);
    await host.configure([
      `link set dev ${interfaceName} mtu ${config.mtu} up`,
      ...config.addresses.map((address) => `address add ${address} dev ${interfaceName}`),
      ...config.peers.flatMap(({ allowedIps }) => allowedIps).map((ip) => `route replace ${ip} dev ${interfaceName}`),
    ]);
    return new WireGuardGoNode(host, interfaceName, running);
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
