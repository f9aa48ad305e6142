import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlane, Host } from '@warren/netlab';
import { expect } from 'vitest';
import { createKeyPair } from '../../support/wireguard-keys.js';

/** The kernel has no WireGuard here, and where it has, Debian's program is what such tests are about. */
const ENV = {
  WG_QUICK_USERSPACE_IMPLEMENTATION: 'wireguard-go',
  WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: '1',
};

/** A member of the network without an agent: wg-quick with the file that the control plane renders. */
export class VanillaMember {
  private constructor(
    readonly host: Host,
    readonly name: string,
    private readonly control: ControlPlane,
    private readonly id: string,
    private readonly addresses: readonly string[],
    private readonly privateKey: string,
  ) {}

  /** Adds the member to the network `default` and brings up its interface. */
  static async join(control: ControlPlane, host: Host, name: string): Promise<VanillaMember> {
    const { privateKey, publicKey } = createKeyPair();
    const made = await control.rest('POST', '/nodes', { network: 'default', name, publicKey, role: 'client' });
    expect(made.status, made.body).toBe(201);
    const { id, addresses } = JSON.parse(made.body) as { id: string; addresses: string[] };
    const member = new VanillaMember(host, name, control, id, addresses, privateKey);
    const up = await host.run('wg-quick', ['up', await member.writeFile()], { env: ENV });
    expect(up.code, up.stderr).toBe(0);
    return member;
  }

  get ipv4(): string {
    return this.addresses[0]!;
  }

  get ipv6(): string {
    return this.addresses[1]!;
  }

  /** Takes over the peers of the file as it is now, as a person does who was told that it has changed. */
  async takeOverFile(): Promise<void> {
    const stripped = await this.host.run('wg-quick', ['strip', await this.writeFile()], { env: ENV });
    const file = join(this.host.dir, 'stripped.conf');
    writeFileSync(file, stripped.stdout, { mode: 0o600 });
    const synced = await this.host.run('wg', ['syncconf', 'wg0', file]);
    expect(synced.code, synced.stderr).toBe(0);
  }

  /** Fills in the private key as its owner does: the file comes with a placeholder. */
  private async writeFile(): Promise<string> {
    const conf = await this.control.rest('GET', `/nodes/${this.id}/wg0.conf`);
    expect(conf.status, conf.body).toBe(200);
    const file = join(this.host.dir, 'wg0.conf');
    writeFileSync(file, conf.body.replace(/^PrivateKey = .*$/m, `PrivateKey = ${this.privateKey}`), { mode: 0o600 });
    return file;
  }
}
