import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatJoinToken, parseJoinToken } from '@warren/identity';
import {
  AgentNode,
  ControlPlane,
  createWorld,
  HOME_NAT,
  type Host,
  meshProgram,
  type World,
  waitUntil,
} from '@warren/netlab';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLab } from '../support/groups.js';

interface Lab {
  readonly world: World;
  readonly control: ControlPlane;
  readonly foreign: ControlPlane;
  /** Where every join is tried that is not about the host itself. */
  readonly host: Host;
  /** On a LAN whose range lies inside the network's. */
  readonly clashing: Host;
  readonly member: AgentNode;
  readonly tokens: Readonly<Record<'good' | 'used' | 'expired' | 'revoked' | 'foreign' | 'bounce', string>>;
}

interface Case {
  readonly name: string;
  readonly exit: number;
  readonly code?: string;
  /** What the message has to name, so that one knows what to do. */
  readonly says: RegExp;
  readonly args: (lab: Lab) => readonly string[];
  readonly on?: 'host' | 'clashing';
  readonly prefix?: readonly string[];
  readonly hide?: readonly string[];
  /** Puts something in the way; returns what takes it away again. */
  readonly prepare?: (host: Host) => Promise<() => Promise<unknown>>;
}

const token = (name: keyof Lab['tokens']) => (lab: Lab) => ['--token', lab.tokens[name], '--name', 'candidate'];

/** The right secret's address and pin with a secret that this control plane does not know. */
const forged = (lab: Lab): string =>
  formatJoinToken({ ...parseJoinToken(lab.tokens.good)!, secret: parseJoinToken(lab.tokens.foreign)!.secret });
const ofUnknownId = (lab: Lab): string =>
  formatJoinToken({
    ...parseJoinToken(lab.tokens.foreign)!,
    pin: parseJoinToken(lab.tokens.good)!.pin,
    addresses: addressesOf(lab),
  });
const addressesOf = (lab: Lab) => parseJoinToken(lab.tokens.good)!.addresses;
const controlAddress = (lab: Lab): string => `${lab.control.host.ipv4}:8443`;

const CASES: readonly Case[] = [
  { name: 'garbage for a token', exit: 3, says: /token/, args: () => ['--token', 'garbage'] },
  {
    name: 'a token with a character missing',
    exit: 3,
    says: /token/,
    args: (lab) => ['--token', lab.tokens.good.slice(0, -1)],
  },
  { name: 'a used token', exit: 3, says: /used/, args: token('used') },
  { name: 'an expired token', exit: 3, says: /expired/, args: token('expired') },
  { name: 'a revoked token', exit: 3, says: /revoked/, args: token('revoked') },
  { name: 'a token with a wrong secret', exit: 3, says: /token/, args: (lab) => ['--token', forged(lab)] },
  { name: "another control plane's token", exit: 3, says: /token/, args: (lab) => ['--token', ofUnknownId(lab)] },
  {
    name: 'a control plane that is not the one of the token',
    exit: 5,
    says: /pin|not the one|root/i,
    args: (lab) => [...token('foreign')(lab), '--control', controlAddress(lab)],
  },
  {
    name: 'a control plane that does not answer',
    exit: 4,
    says: /203\.0\.113\.200:8443/,
    args: (lab) => [...token('good')(lab), '--control', '203.0.113.200:8443'],
  },
  {
    name: 'a name that is taken',
    exit: 3,
    says: /member/,
    args: (lab) => ['--token', lab.tokens.good, '--name', 'member'],
  },
  {
    name: 'a role other than the token allows',
    exit: 3,
    says: /role/,
    args: (lab) => ['--token', lab.tokens.bounce, '--name', 'candidate', '--role', 'client'],
  },
  { name: 'a LAN inside the network’s range', exit: 1, says: /10\.44\.7\.0\/24/, args: token('good'), on: 'clashing' },
  { name: 'a port in use', exit: 1, code: 'port-in-use', says: /51820/, args: token('good'), prepare: occupyPort },
  {
    name: 'an interface name that is taken',
    exit: 1,
    says: /wg0/,
    args: (lab) => [...token('good')(lab), '--interface', 'wg0'],
    prepare: occupyInterface,
  },
  {
    name: 'a user other than root',
    exit: 1,
    says: /root/,
    args: token('good'),
    prefix: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'],
  },
  { name: 'a host without /dev/net/tun', exit: 1, says: /\/dev\/net\/tun/, args: token('good'), hide: ['/dev/net'] },
  { name: 'no token', exit: 2, says: /token/, args: () => [] },
  { name: 'an unknown option', exit: 2, says: /--colour/, args: (lab) => [...token('good')(lab), '--colour'] },
  { name: 'an unknown role', exit: 2, says: /role/, args: (lab) => [...token('good')(lab), '--role', 'king'] },
  {
    name: 'a port out of range',
    exit: 2,
    says: /listen-port/,
    args: (lab) => [...token('good')(lab), '--listen-port', '70000'],
  },
  { name: 'an MTU out of range', exit: 2, says: /mtu/, args: (lab) => [...token('good')(lab), '--mtu', '12'] },
  {
    name: 'a name that is none',
    exit: 2,
    says: /name/,
    args: (lab) => ['--token', lab.tokens.good, '--name', 'no spaces'],
  },
];

describeLab('`agent join` that cannot be done', [], () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await createLab();
  });
  afterAll(() => lab?.world.close());

  const titled = CASES.map((given) => [`because of ${given.name}: exit code ${given.exit}`, given] as const);
  it.each(titled)('%s, one clear line, nothing half made', async (_, given) => {
    const host = given.on === 'clashing' ? lab.clashing : lab.host;
    const clear = await given.prepare?.(host);
    const stateDir = join(host.dir, `state-${CASES.indexOf(given)}`);
    try {
      const before = await traces(lab, host);
      const [program, ...rest] = [...(given.prefix ?? []), meshProgram('agent'), 'join', ...given.args(lab)];
      const options = [...rest, '--state-dir', stateDir, '--foreground', '--json'];
      const result = await host.run(program!, options, { hide: given.hide ?? [], timeoutMs: 60_000 });
      expect(result.stderr).toMatch(given.says);
      expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
      expect(result.code).toBe(given.exit);
      const { error } = JSON.parse(result.stdout) as { error: { code: string; message: string } };
      expect(error.code).toMatch(given.code ? new RegExp(`^${given.code}$`) : /^[a-z][a-z0-9-]*$/);
      expect(error.message).toMatch(given.says);
      expect(await traces(lab, host)).toEqual(before);
      expect(await isJoined(host, stateDir)).toBe(false);
    } finally {
      await clear?.();
    }
  });

  it('does not spend the token, which is good for a join afterwards', async () => {
    const agent = await AgentNode.join(lab.host, { name: 'candidate', token: lab.tokens.good });
    expect((await agent.process.stop()).code).toBe(0);
    expect(await lab.host.interfaces()).toEqual(['eth0']);
  });
});

async function createLab(): Promise<Lab> {
  const world = await createWorld({ name: 'bad-input' });
  const controlHost = await world.addHost({ name: 'control' });
  const foreignHost = await world.addHost({ name: 'foreign' });
  const [control, foreign] = await Promise.all([ControlPlane.start(controlHost), ControlPlane.start(foreignHost)]);
  const inside = await world.addRouter({ name: 'clash-nat', nat: HOME_NAT, lan: '10.44.7.0/24' });
  const used = await control.createToken();
  const member = await AgentNode.join(await world.addHost({ name: 'member' }), { name: 'member', token: used });
  const revoked = await control
    .createToken(['--json'])
    .then((text) => JSON.parse(text) as { id: string; token: string });
  await control.warrenOutput(['token', 'revoke', revoked.id]);
  const expiring = await control
    .createToken(['--json', '--expires', '1s'])
    .then((text) => JSON.parse(text) as Expiring);
  await waitUntil('the token to expire', { timeoutMs: 10_000 }, () => Date.now() > Date.parse(expiring.expiresAt));
  return {
    world,
    control,
    foreign,
    member,
    host: await world.addHost({ name: 'host' }),
    clashing: await world.addHost({ name: 'clashing', on: inside }),
    tokens: {
      used,
      revoked: revoked.token,
      expired: expiring.token,
      good: await control.createToken(),
      bounce: await control.createToken(['--role', 'bounce']),
      foreign: await foreign.createToken(),
    },
  };
}

interface Expiring {
  readonly token: string;
  readonly expiresAt: string;
}

/** All that a half-made join could leave on the host and at the control plane. */
async function traces({ control }: Lab, host: Host) {
  const [nodes, rules, routes, interfaces] = await Promise.all([
    control.warrenOutput(['node', 'list', '--json']),
    host.run('nft', ['list', 'ruleset']),
    host.run('ip', ['route', 'show', 'table', 'all']),
    host.interfaces(),
  ]);
  const { items } = JSON.parse(nodes) as { items: { name: string; status: string }[] };
  return {
    nodes: items.map(({ name, status }) => `${name} ${status}`),
    rules: rules.stdout,
    routes: routes.stdout,
    interfaces,
    sockets: readdirSync(join(host.dir, 'run/wireguard')),
  };
}

/** Whether anything in the state dir would let an agent start. */
async function isJoined(host: Host, stateDir: string): Promise<boolean> {
  if (!existsSync(stateDir)) return false;
  const { code } = await host.run(meshProgram('agent'), ['up', '--state-dir', stateDir, '--foreground'], {
    timeoutMs: 20_000,
  });
  return code === 0;
}

async function occupyPort(host: Host): Promise<() => Promise<unknown>> {
  const script = "require('node:dgram').createSocket('udp4').bind(51820, () => console.log('bound'))";
  const holder = host.spawn(process.execPath, ['-e', script]);
  await holder.waitForOutput(/bound/, 10_000);
  return () => holder.stop();
}

async function occupyInterface(host: Host): Promise<() => Promise<unknown>> {
  await host.configure(['link add wg0 type bridge']);
  return () => host.configure(['link del wg0']);
}
