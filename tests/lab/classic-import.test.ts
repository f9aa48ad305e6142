import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AgentStatus,
  askAgent,
  CLASSIC_NODES,
  type ClassicName,
  type ClassicSite,
  ControlPlane,
  createClassicSite,
  type Host,
  type HostProcess,
  meshProgram,
  type PingStream,
  startPingStream,
  waitUntil,
} from '@warren/netlab';
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest';
import { type ClassicKeys, classicFile, createClassicKeys } from '../support/classic-files.js';
import { describeLab } from '../support/groups.js';
import { createPresharedKey } from '../support/wireguard-keys.js';

/** The kernel has no WireGuard here, and where it has, Debian's program is what these hosts run. */
const ENV = {
  WG_QUICK_USERSPACE_IMPLEMENTATION: 'wireguard-go',
  WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD: '1',
};
const NAMES = CLASSIC_NODES.map(({ name }) => name);
const BOUNCE = 'public-server1';
const addressOf = (name: ClassicName): string => CLASSIC_NODES.find((node) => node.name === name)!.ipv4;
const isClient = (name: ClassicName): boolean => !name.startsWith('public');
/** Milliseconds between requests of a stream. */
const PING_MS = 200;
/** Ceilings against hanging; a switch takes a few seconds. */
const SWITCH_MS = 60_000;
const REACHED_MS = 30_000;
/** Who waits for a bounce that restarts waits for the bounce's start, and five seconds more for an initiation to be repeated. */
const OUTAGE_MS = 45_000;

/** The five hosts with wg-quick, then one after the other with agents. */
class MovingNetwork {
  readonly agents = new Map<ClassicName, HostProcess>();
  private readonly presharedKey = createPresharedKey();

  private constructor(
    readonly site: ClassicSite,
    readonly control: ControlPlane,
    readonly keys: ClassicKeys,
    private token: string,
  ) {}

  /** Everything runs on plain files, and the control plane knows nothing of it yet. */
  static async start(site: ClassicSite): Promise<MovingNetwork> {
    const keys = createClassicKeys();
    const control = await ControlPlane.start(site.control);
    const moving = new MovingNetwork(site, control, keys, '');
    for (const name of NAMES) writeFileSync(moving.file(name), moving.text(name), { mode: 0o600 });
    for (const name of NAMES) await moving.quick(name, 'up');
    await moving.expectAllReached();
    return moving;
  }

  /** The bounce and the phone have a preshared key: it moves with them. */
  private text(name: ClassicName): string {
    const other = { [BOUNCE]: 'phone', phone: BOUNCE }[name as string] as ClassicName | undefined;
    const text = classicFile(name, this.keys, this.site);
    if (other === undefined) return text;
    return text.replace(/^PublicKey = (.*)$/gm, (line, key) =>
      key === this.keys[other].publicKey ? `${line}\nPresharedKey = ${this.presharedKey}` : line,
    );
  }

  host(name: ClassicName): Host {
    return this.site.hosts[name];
  }

  file(name: ClassicName): string {
    return join(this.host(name).dir, 'wg0.conf');
  }

  async quick(name: ClassicName, verb: 'up' | 'down'): Promise<void> {
    const { code, stderr } = await this.host(name).run('wg-quick', [verb, this.file(name)], { env: ENV });
    expect(code, stderr).toBe(0);
  }

  async import(): Promise<string> {
    const text = await this.control.warrenOutput(['import', ...NAMES.map((name) => this.file(name))]);
    this.token = await this.control.createToken(['--uses', '5']);
    return text;
  }

  /** wg-quick down, agent join. @returns when the agent is connected. */
  async switch(name: ClassicName): Promise<void> {
    await this.quick(name, 'down');
    const host = this.host(name);
    const line = ['join', '--token', this.token, '--take-over', this.file(name)];
    const agent = host.spawn(meshProgram('agent'), [...line, '--state-dir', host.stateDir, '--foreground']);
    this.agents.set(name, agent);
    await waitUntil(`the agent of ${name}`, { timeoutMs: SWITCH_MS }, async () => {
      if (!agent.running) return true;
      const { control } = await askAgent<AgentStatus>(host.stateDir, { method: 'status' });
      return control.connected;
    });
    if (!agent.running) throw new Error(`${name}: ${agent.lastWords()}`);
  }

  /** Every ordered pair. */
  async expectAllReached(): Promise<void> {
    const pairs = NAMES.flatMap((from) => NAMES.filter((to) => to !== from).map((to) => ({ from, to })));
    await Promise.all(
      pairs.map(({ from, to }) =>
        waitUntil(`${from} to reach ${to}`, { timeoutMs: REACHED_MS }, () =>
          this.host(from).ping(addressOf(to), { timeoutMs: 2_000 }),
        ),
      ),
    );
  }

  /** Whether the bounce opens and forwards the pair's packets: those of two clients one of which has no agent. */
  goesThroughBounce(a: ClassicName, b: ClassicName): boolean {
    return isClient(a) && isClient(b) && !(this.agents.has(a) && this.agents.has(b));
  }

  /** A stream for every two of the others. */
  async pingAmongOthers(than: ClassicName): Promise<Stream[]> {
    const others = NAMES.filter((name) => name !== than);
    const streams = others.flatMap((a, i) =>
      others.slice(i + 1).map((b): Stream => {
        const ping = startPingStream(this.host(a), addressOf(b), PING_MS);
        return { pair: `${a} → ${b}`, through: this.goesThroughBounce(a, b), ping };
      }),
    );
    await Promise.all(streams.map(({ ping }) => ping.waitForAnswers(5, 10_000)));
    return streams;
  }
}

interface Stream {
  readonly pair: string;
  /** Through the bounce, when the stream began. */
  readonly through: boolean;
  readonly ping: PingStream;
}

/** In the order of the title; between steps everybody reaches everybody, whatever the mixture. */
function movesIn(title: string, order: readonly ClassicName[]): void {
  describe(`in the order ${title}`, () => {
    let moving: MovingNetwork;
    let site: ClassicSite;
    beforeAll(async () => {
      site = await createClassicSite({ name: 'import' });
      moving = await MovingNetwork.start(site);
    });
    afterAll(() => site?.world.close());

    it('is imported while it runs, as it is', async () => {
      const text = await moving.import();
      for (const { name, role, ipv4 } of CLASSIC_NODES) {
        expect(text).toMatch(new RegExp(`^${name} +${role} +${ipv4}`, 'm'));
      }
      expect(text).not.toMatch(/^(completed|conflict)/m);
      expect(text).toContain('preshared keys: 1');
      await moving.expectAllReached();
    });

    it.each(order)(
      'loses nothing between others while %s is switched to an agent',
      async (name) => {
        onTestFailed(() => {
          for (const [of, agent] of moving.agents) console.error(`--- ${of}\n${agent.lastWords()}`);
        });
        const before = await nodeOf(moving.control, name);
        const streams = await moving.pingAmongOthers(name);
        await moving.switch(name);
        await moving.expectAllReached();
        await Promise.all(streams.map(({ ping }) => ping.waitForAnswers(5, OUTAGE_MS)));
        const done = await Promise.all(streams.map(async ({ ping, ...rest }) => ({ ...rest, ...(await ping.stop()) })));
        for (const { pair, through, lost, answered } of done) {
          expect(answered, pair).toBeGreaterThan(5);
          // Packets that the switched bounce itself forwards have to wait for it.
          if (through && name === BOUNCE) expect(lost.length * PING_MS, pair).toBeLessThan(OUTAGE_MS);
          else expect(lost, pair).toEqual([]);
        }
        const waited = done.filter(({ lost }) => lost.length > 0);
        if (waited.length > 0) {
          const figures = waited.map(({ pair, lost }) => `${pair} ${(lost.length * PING_MS) / 1_000} s`);
          console.info(`${name} forwards for ${figures.join(', ')} while it restarts`);
        }
        expect(await nodeOf(moving.control, name)).toEqual({ ...before, kind: 'agent' });
      },
      SWITCH_MS + REACHED_MS + OUTAGE_MS + 30_000,
    );

    it('has every host with its key, name and address of before, and nothing of wg-quick left', async () => {
      for (const name of NAMES) {
        const status = await askAgent<AgentStatus>(moving.host(name).stateDir, { method: 'status' });
        expect(status.node).toMatchObject({ name, publicKey: moving.keys[name].publicKey });
        expect(status.node.addresses).toEqual([addressOf(name)]);
        const links = await moving.host(name).interfaces();
        expect(links.sort()).toEqual(['eth0', 'wg0']);
      }
    });
  });
}

interface NodeItem {
  readonly name: string;
  readonly kind: string;
}

/** What stays of a node when an agent takes it over, and its kind. */
async function nodeOf(control: ControlPlane, name: string): Promise<NodeItem> {
  const text = await control.warrenOutput(['node', 'show', name, '--json']);
  const { id, role, kind, publicKey, addresses, endpoint } = JSON.parse(text) as Record<string, unknown>;
  return { id, name, role, kind, publicKey, addresses, endpoint } as unknown as NodeItem;
}

describeLab('the classic example, moved in', ['wireguard-go', 'wg', 'wg-quick'], () => {
  movesIn('of importance: servers first', ['public-server1', 'public-server2', 'home-server', 'laptop', 'phone']);
  movesIn('of caution: the bounce last', ['phone', 'home-server', 'public-server2', 'laptop', 'public-server1']);
});
