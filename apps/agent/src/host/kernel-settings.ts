import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { WarrenError } from '@warren/base';
import { isMissing } from '../errors.js';

/** One setting under `/proc/sys/net` and what it held. */
export interface KernelSetting {
  /** Below `/proc/sys/net`, e.g. `ipv4/ip_forward`. */
  readonly name: string;
  readonly value: string;
}

/** The settings of this network namespace; injected so that tests need no kernel. */
export interface KernelSettings {
  /** @returns undefined when the kernel has no such setting. */
  read(name: string): Promise<string | undefined>;
  /** @throws WarrenError `kernel-setting-refused`. */
  write(name: string, value: string): Promise<void>;
  /** Names of interfaces with settings of their own, `all` and `default` left out. */
  interfaces(family: 'ipv4' | 'ipv6'): Promise<string[]>;
  /** Changes when settings cannot be the ones that were saved: another boot or namespace. */
  fingerprint(): Promise<string>;
}

const ROOT = '/proc/sys/net';

export const kernelSettings: KernelSettings = {
  async read(name) {
    try {
      return (await readFile(`${ROOT}/${name}`, 'utf8')).trim();
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  },
  async write(name, value) {
    try {
      await writeFile(`${ROOT}/${name}`, value);
    } catch (error) {
      if (isMissing(error)) return; // its interface has gone
      const key = `net.${name.replaceAll('/', '.')}`;
      throw new WarrenError(
        'kernel-setting-refused',
        `${key} cannot be set to ${value}: set it on the host (a container: --sysctl ${key}=${value})`,
        { cause: error },
      );
    }
  },
  async interfaces(family) {
    try {
      const names = await readdir(`${ROOT}/${family}/conf`);
      return names.filter((name) => name !== 'all' && name !== 'default');
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  },
  async fingerprint() {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.trim()} ${await readlink('/proc/self/ns/net')}`;
  },
};

const GLOBAL = ['ipv4/ip_forward', 'ipv6/conf/all/forwarding', 'ipv4/conf/all/send_redirects'] as const;

/** What forwarding touches, in the order in which it is put back: switches for all interfaces come first. */
export async function captureForwarding(kernel: KernelSettings): Promise<KernelSetting[]> {
  const names: string[] = [...GLOBAL, 'ipv6/conf/default/forwarding'];
  for (const name of await kernel.interfaces('ipv6')) {
    names.push(`ipv6/conf/${name}/forwarding`, `ipv6/conf/${name}/accept_ra`);
  }
  const captured: KernelSetting[] = [];
  for (const name of names) {
    const value = await kernel.read(name);
    if (value !== undefined) captured.push({ name, value });
  }
  return captured;
}

/**
 * Switches forwarding on for IPv4 and, where the host has it, IPv6, and redirects on the interface off, which go with it.
 * @throws WarrenError `kernel-setting-refused`.
 */
export async function switchForwardingOn(kernel: KernelSettings, interfaceName: string): Promise<void> {
  // A forwarding interface ignores router advertisements unless told otherwise (2): the host would lose its default route.
  for (const name of await kernel.interfaces('ipv6')) {
    await set(kernel, `ipv6/conf/${name}/accept_ra`, '2', (value) => value === '1');
  }
  const isOther = (wanted: string) => (value: string) => value !== wanted;
  await set(kernel, 'ipv4/ip_forward', '1', isOther('1'));
  await set(kernel, 'ipv6/conf/all/forwarding', '1', isOther('1'));
  // Packets leave by the interface that they came by: redirects would tell the members to try without us. The kernel
  // sends them when either switch is on.
  await set(kernel, 'ipv4/conf/all/send_redirects', '0', isOther('0'));
  await set(kernel, `ipv4/conf/${interfaceName}/send_redirects`, '0', isOther('0'));
}

/** Puts captured values back where they differ. */
export async function restoreSettings(kernel: KernelSettings, captured: readonly KernelSetting[]): Promise<void> {
  for (const { name, value } of captured) await set(kernel, name, value, (now) => now !== value);
}

async function set(
  kernel: KernelSettings,
  name: string,
  value: string,
  needed: (now: string) => boolean,
): Promise<void> {
  const now = await kernel.read(name);
  if (now !== undefined && needed(now)) await kernel.write(name, value);
}
