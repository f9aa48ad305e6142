import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CLASSIC_NODES,
  type ClassicSite,
  createClassicSite,
  createWorld,
  type Host,
  type World,
  waitUntil,
} from '@warren/netlab';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runOn, waitForNoDaemon, wgDaemons } from '../support/agent-wg.js';
import { type ClassicKeys, classicFile, createClassicKeys } from '../support/classic-files.js';
import { describeLab } from '../support/groups.js';
import { createKeyPair, createPresharedKey, type KeyPair } from '../support/wireguard-keys.js';

const PORT = 51_820;
/** Ten seconds: a first initiation that found nobody is repeated after five. */
const PATIENT = { count: 40, intervalMs: 250 };

/** wg-quick wants the file's name to be the interface's. */
function writeConfig(host: Host, text: string): string {
  const path = join(host.dir, 'wg0.conf');
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const quick = (host: Host, verb: string) => runOn(host, 'wg-quick', [verb, join(host.dir, 'wg0.conf')]);

describeLab('wg-quick and our data plane', ['wg', 'wg-quick', 'nft'], () => {
  describe('two hosts', () => {
    let world: World;
    let here: Host;
    let there: Host;
    beforeAll(async () => {
      world = await createWorld({ name: 'wg-quick' });
      here = await world.addHost({ name: 'here' });
      there = await world.addHost({ name: 'there' });
    });
    afterEach(async () => {
      for (const host of [here, there]) {
        await host.run('ip', ['link', 'delete', 'wg0']);
        await waitForNoDaemon(host);
      }
    });
    afterAll(() => world?.close());

    const configs = (hereAllows: string) => {
      const keys = { here: createKeyPair(), there: createKeyPair() };
      const presharedKey = createPresharedKey();
      const interfaceOf = (key: KeyPair, address: string, more = '') =>
        `[Interface]\nAddress = ${address}\nPrivateKey = ${key.privateKey}\nListenPort = ${PORT}\n${more}`;
      const peerOf = (key: KeyPair, allowedIps: string, more = '') =>
        `[Peer]\nPublicKey = ${key.publicKey}\nPresharedKey = ${presharedKey}\nAllowedIPs = ${allowedIps}\n${more}`;
      const endpoint = `Endpoint = ${there.ipv4}:${PORT}\n`;
      return {
        here: `${interfaceOf(keys.here, '10.50.0.1/24, fd50::1/64', 'MTU = 1380\nPostUp = touch up-%i\nPostDown = rm up-%i\n')}\n${peerOf(keys.there, hereAllows, endpoint)}`,
        there: `${interfaceOf(keys.there, '10.50.0.2/24, fd50::2/64')}\n${peerOf(keys.here, '10.50.0.1/32, fd50::1/128')}`,
        keys,
      };
    };

    it('come up, reach each other, and go down without a trace', async () => {
      const { here: ours, there: theirs } = configs('10.50.0.2/32, fd50::2/128');
      writeConfig(here, ours);
      writeConfig(there, theirs);
      await Promise.all([quick(here, 'up'), quick(there, 'up')]);
      for (const address of ['10.50.0.2', 'fd50::2']) expect(await here.ping(address, PATIENT)).toBe(true);
      expect(await there.ping('10.50.0.1')).toBe(true);
      const link = JSON.parse(await runOn(here, 'ip', ['-json', 'link', 'show', 'wg0']));
      expect(link).toMatchObject([{ mtu: 1380 }]);
      await Promise.all([quick(here, 'down'), quick(there, 'down')]);
      expect(await here.interfaces()).toEqual(['eth0']);
      await Promise.all([waitForNoDaemon(here), waitForNoDaemon(there)]);
    });

    it('save what was set meanwhile, and strip what wg does not know', async () => {
      const { here: ours, keys } = configs('10.50.0.2/32');
      const path = writeConfig(here, ours);
      await quick(here, 'up');
      const added = createKeyPair();
      await runOn(here, 'wg', ['set', 'wg0', 'peer', added.publicKey, 'allowed-ips', '10.50.0.9/32']);
      await quick(here, 'save');
      const saved = readFileSync(path, 'utf8');
      for (const line of [
        'Address = 10.50.0.1/24',
        'MTU = 1380',
        'PostUp = touch up-%i',
        `ListenPort = ${PORT}`,
        `PrivateKey = ${keys.here.privateKey}`,
        `PublicKey = ${keys.there.publicKey}`,
        `PublicKey = ${added.publicKey}`,
        'AllowedIPs = 10.50.0.9/32',
        `Endpoint = ${there.ipv4}:${PORT}`,
      ]) {
        expect(saved.split('\n')).toContain(line);
      }
      const stripped = await quick(here, 'strip');
      expect(stripped).not.toMatch(/Address|MTU|PostUp/);
      expect(stripped).toContain(added.publicKey);
      await quick(here, 'down');
      await waitForNoDaemon(here);
      // What was saved comes up as it was.
      await quick(here, 'up');
      expect(await runOn(here, 'wg', ['show', 'wg0', 'allowed-ips'])).toContain(`${added.publicKey}\t10.50.0.9/32`);
    });

    it('send everything through the tunnel, but not the tunnel itself', async () => {
      const { here: ours, there: theirs } = configs('0.0.0.0/0, ::/0');
      writeConfig(here, ours);
      writeConfig(there, theirs);
      await Promise.all([quick(here, 'up'), quick(there, 'up')]);
      expect(await runOn(here, 'wg', ['show', 'wg0', 'fwmark'])).toBe('0xca6c\n');
      // Some address that only the other end of the tunnel has.
      await there.configure(['address add 198.18.0.1/32 dev lo']);
      expect(await here.ping('198.18.0.1', PATIENT)).toBe(true);
      await Promise.all([quick(here, 'down'), quick(there, 'down')]);
    });
  });

  describe('the classic example', () => {
    let site: ClassicSite;
    const keys: ClassicKeys = createClassicKeys();
    beforeAll(async () => {
      site = await createClassicSite({ name: 'wg-quick-classic' });
      for (const { name } of CLASSIC_NODES) writeConfig(site.hosts[name], classicFile(name, keys, site));
      await Promise.all(CLASSIC_NODES.map(({ name }) => quick(site.hosts[name], 'up')));
    });
    afterAll(() => site?.world.close());

    it('connects every host with every other', async () => {
      for (const from of CLASSIC_NODES) {
        for (const to of CLASSIC_NODES) {
          if (from === to) continue;
          const reached = await site.hosts[from.name].ping(to.ipv4, PATIENT);
          expect(reached, `${from.name} → ${to.name}`).toBe(true);
        }
      }
    });

    it('is shown by wg as the kernel’s would be', async () => {
      const laptop = site.hosts.laptop;
      const bounce = site.hosts['public-server1'];
      await waitUntil('handshakes with both servers', { timeoutMs: 10_000 }, async () => {
        const times = await runOn(laptop, 'wg', ['show', 'wg0', 'latest-handshakes']);
        return !/\t0$/m.test(times.trim());
      });
      const words = (await runOn(laptop, 'wg', ['show', 'wg0'])).trimEnd().split('\n\n');
      expect(words[0]).toMatch(
        /^interface: wg0\n {2}public key: \S{44}\n {2}private key: \(hidden\)\n {2}listening port: \d+$/,
      );
      expect(words).toHaveLength(3);
      expect(words.find((block) => block.includes(keys['public-server1'].publicKey))).toMatch(
        new RegExp(
          [
            `^peer: ${keys['public-server1'].publicKey.replaceAll(/[+/]/g, '\\$&')}`,
            `  endpoint: ${bounce.ipv4}:${PORT}`,
            '  allowed ips: 10.44.0.0/16',
            '  latest handshake: .*',
            '  transfer: .* received, .* sent',
            '  persistent keepalive: every 25 seconds$',
          ].join('\n'),
        ),
      );
    });

    it('goes down everywhere', async () => {
      await Promise.all(CLASSIC_NODES.map(({ name }) => quick(site.hosts[name], 'down')));
      for (const { name } of CLASSIC_NODES) {
        await waitForNoDaemon(site.hosts[name]);
        expect(await wgDaemons(site.hosts[name])).toEqual([]);
        expect(await site.hosts[name].interfaces()).toEqual(['eth0']);
      }
    });
  });
});
