import { nodeId, publicKeyFromBytes } from '@warren/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  exportFiles,
  type ImportPlan,
  isWgQuickProblem,
  type Network,
  type NetworkNode,
  pairId,
  parseWgQuick,
  planImport,
  renderWg0Conf,
  wg0ConfOptions,
} from '../index.js';
import { WILD } from '../testing/wild-cases.js';
import { classicFiles, planOf, preshared, publicKey, redacted, secret, summary } from '../testing/wild-files.js';

/** The network that a plan becomes. */
function networkOf({ cidrs, nodes, presharedKeys }: ImportPlan): Network {
  const entries = nodes.map(({ file: _, ...node }): [NetworkNode['id'], NetworkNode] => [
    node.id,
    { ...node, kind: 'vanilla' },
  ]);
  const keys = presharedKeys.map(({ a, b, key }) => [pairId(a, b), key] as const);
  return {
    ...{ id: 'net' as Network['id'], name: 'net', cidrs, mtu: 1400 },
    nodes: new Map(entries),
    presharedKeys: new Map(keys),
  };
}
const exported = (plan: ImportPlan): Record<string, string> =>
  Object.fromEntries(
    exportFiles(networkOf(plan), (node, peers, network) =>
      renderWg0Conf(node, peers, wg0ConfOptions(network, node)),
    ).map(({ name, text }) => [`${name}.conf`, text]),
  );
/** What must come back: not the ids, nor what our files say anyway. */
const without = (plan: ImportPlan): object => {
  const nodes = plan.nodes.map(({ name, role, publicKey: key, addresses, endpoint, settings }) => {
    const { mtu: _, listenPort, ...others } = settings;
    const port = listenPort ?? Number(endpoint?.split(':').at(-1) ?? 0);
    return { name, role, key, addresses, endpoint, settings: others, port };
  });
  const names = new Map(plan.nodes.map(({ id, name }) => [id, name]));
  const pairs = plan.presharedKeys.map(({ a, b, key }) => [[names.get(a), names.get(b)].sort(), [...key.expose()]]);
  return { cidrs: plan.cidrs, nodes, pairs: pairs.sort() };
};
const conflicts = (files: Record<string, string>, options = {}): string[] =>
  summary(planOf(files, options)).report.filter((line) => line.startsWith('conflict'));
const host = (n: number, address: string, peers = '', more = ''): string =>
  `[Interface]\nPrivateKey = ${secret(n)}\nAddress = ${address}\n${more}${peers}`;
const peer = (n: number, allowed: string, more = ''): string =>
  `[Peer]\nPublicKey = ${publicKey(n)}\nAllowedIPs = ${allowed}\n${more}`;

describe('the classic example', () => {
  const NAMES = ['public-server1', 'public-server2', 'home-server', 'laptop', 'phone'];
  const renamed = NAMES.map((name) => expect.stringContaining(`the name "${name}.example-vpn.dev" is ${name} here`));

  it('is planned as it is, and only the names are shorter', () => {
    expect(summary(planOf(classicFiles()))).toEqual({
      cidrs: '10.44.0.0/16',
      nodes: [
        'home-server 3 client 10.44.0.3 {"dns":["1.1.1.1"]}',
        'laptop 4 client 10.44.0.4 {"dns":["1.1.1.1"]}',
        'phone 5 client 10.44.0.5 {"dns":["1.1.1.1"]}',
        'public-server1 1 bounce 10.44.0.1 @public-server1.example-vpn.dev:51820 {"listenPort":51820}',
        'public-server2 2 direct 10.44.0.2 @public-server2.example-vpn.dev:51820 {"listenPort":51820}',
      ],
      report: renamed,
    });
  });

  it('is completed where the documentation lists peers on one side only', () => {
    const { nodes, report } = summary(planOf(classicFiles(true)));
    expect(nodes).toEqual(summary(planOf(classicFiles())).nodes);
    expect(report.slice(5)).toEqual(
      ['home-server', 'laptop', 'phone'].map(
        (name) => `completed public-server2.conf the file did not list ${name}: it does now`,
      ),
    );
  });

  it.each(NAMES)('is known without the file of %s, but for what only that file says', (missing) => {
    const { [`${missing}.conf`]: _, ...files } = classicFiles();
    const left = summary(planOf(files)).nodes.map((line) => line.replace(/ \{.*$/, ''));
    expect(left).toEqual(summary(planOf(classicFiles())).nodes.map((line) => line.replace(/ \{.*$/, '')));
  });

  it('is the same in any order of files', () => {
    const files = Object.entries(classicFiles());
    const reversed = Object.fromEntries(files.reverse());
    expect(without(planOf(reversed))).toEqual(without(planOf(classicFiles())));
  });
});

describe('what is exported', () => {
  const cases: typeof WILD = { ...WILD, 'the classic example': { files: classicFiles(true) } };

  it.each(Object.entries(cases))(
    'of %s is imported as the same network, with nothing to complete',
    (_, { files, options }) => {
      const plan = planOf(files, options);
      const again = planOf(exported(plan), { cidrs: plan.cidrs });
      expect(without(again)).toEqual(without(plan));
      expect(
        again.report.filter(
          ({ level, message }) => level !== 'not-carried-over' && !/PersistentKeepalive/.test(message),
        ),
      ).toEqual([]);
    },
  );

  it('is exported as the same files again', () => {
    const once = exported(planOf(classicFiles()));
    expect(exported(planOf(once))).toEqual(once);
  });
});

describe('files that contradict each other', () => {
  it('because two have one key, or two hosts one address', () => {
    expect(conflicts({ 'a.conf': host(1, '10.1.0.1/24'), 'b.conf': host(1, '10.1.0.2/24') })).toEqual([
      'conflict b.conf:1 a.conf has the same key: two hosts cannot share one, and one host needs one file only',
    ]);
    expect(conflicts({ 'a.conf': host(1, '10.1.0.1/24'), 'b.conf': host(2, '10.1.0.1/24') })).toEqual([
      'conflict b.conf 10.1.0.1 is the address of a and of b, which have different keys',
    ]);
    const stale = { 'a.conf': host(1, '10.1.0.1/24', `${peer(3, '10.1.0.2/32')}`), 'b.conf': host(2, '10.1.0.2/24') };
    expect(conflicts(stale)).toEqual([
      'conflict a.conf:4 10.1.0.2 is the address of b and of node-1, which have different keys',
    ]);
  });

  it('because a pair has two preshared keys; one that only one side has is completed', () => {
    const files = (theirs: string) => ({
      'a.conf': host(1, '10.1.0.1/24', peer(2, '10.1.0.2/32', `PresharedKey = ${preshared(1)}\n`)),
      'b.conf': host(2, '10.1.0.2/24', peer(1, '10.1.0.1/32', `Endpoint = a:1\n${theirs}`)),
    });
    expect(conflicts(files(`PresharedKey = ${preshared(2)}\n`))).toEqual([
      'conflict b.conf:4 the PresharedKey is another one than that of a.conf, line 4: one of them is wrong',
    ]);
    const plan = planOf(files(''));
    expect(plan.presharedKeys).toHaveLength(1);
    expect(summary(plan).report).toContain('completed b.conf:4 the PresharedKey, as a.conf has it');
    expect(JSON.stringify(plan)).not.toContain(preshared(1));
  });

  it('because a file is none, has no key, or there is none at all', () => {
    expect(conflicts({ 'a.conf': '[Interface]\nColour = red' })[0]).toBe(
      'conflict a.conf:2 Colour is no key of [Interface]',
    );
    expect(conflicts({ 'a.conf': '[Interface]\nAddress = 10.1.0.1/24' })[0]).toContain(
      'has no PrivateKey, and no other file',
    );
    expect(conflicts({})).toEqual(['conflict * there is no file to import']);
  });

  it('because nothing says the prefix; given, it is taken, and who is outside of it is said', () => {
    const files = { 'a.conf': host(1, '10.1.0.1'), 'b.conf': host(2, '192.168.7.1') };
    expect(conflicts(files)).toEqual([
      "conflict * no file says the network's prefix, and 10.1.0.1, 192.168.7.1 are far apart: give it with --cidr",
    ]);
    const given = summary(planOf(files, { cidrs: ['10.1.0.0/24'] }));
    expect(given.nodes).toEqual(['a 1 client 10.1.0.1', 'b 2 client 10.1.0.2']);
    expect(given.report).toContain('not-carried-over b.conf Address 192.168.7.1 is not in the network');
    expect(conflicts(files, { cidrs: ['nonsense'] })[0]).toContain('is no prefix');
    expect(conflicts(files, { cidrs: ['10.1.0.0/24'], endpoints: new Map([['c', 'c:1']]) })[0]).toContain(
      'which no file names',
    );
  });
});

describe('what a network here cannot hold', () => {
  it('is said: several endpoints of one host, other keepalives, an MTU that is none, a part of the network', () => {
    const files = {
      'hub.conf': host(
        1,
        '10.1.0.1/24',
        peer(2, '10.1.0.2/32') + peer(3, '10.1.0.3/32, 10.1.0.128/25'),
        'ListenPort = 1\nMTU = 500\n',
      ),
      'b.conf': host(2, '10.1.0.2/24', peer(1, '10.1.0.0/24', 'Endpoint = 192.168.1.9:1\nPersistentKeepalive = 25\n')),
      'c.conf': host(3, '10.1.0.3/24', peer(1, '10.1.0.0/24', 'Endpoint = hub.example:1\nPersistentKeepalive = 25\n')),
      'd.conf': host(4, '10.1.0.4/24', peer(1, '10.1.0.0/24', 'Endpoint = hub.example:1\nPersistentKeepalive = 20\n')),
    };
    const { nodes, report } = summary(planOf(files));
    expect(nodes).toContain('hub 1 bounce 10.1.0.1 @hub.example:1 {"listenPort":1}');
    expect(nodes).toContain('d 4 client 10.1.0.4 {"persistentKeepalive":20}');
    expect(report).toContain(
      'not-carried-over b.conf:4 Endpoint 192.168.1.9:1: other files have hub.example:1, and a node has one',
    );
    expect(report).toContain('not-carried-over hub.conf mtu must be a whole number of 1280 to 9000');
    expect(report).toContainEqual(
      expect.stringContaining('AllowedIPs 10.1.0.128/25 of c: it is a part of the network'),
    );
    expect(report).toContain('completed hub.conf the file did not list d: it does now');
  });

  it('is said of two clients that were peers of each other', () => {
    const files = {
      'a.conf': host(1, '10.1.0.1/24', peer(2, '10.1.0.2/32')),
      'b.conf': host(2, '10.1.0.2/24', peer(1, '10.1.0.1/32')),
    };
    expect(summary(planOf(files)).report).toContain(
      'not-carried-over a.conf:4 b is no peer of this host any more: it is reached as soon as there is a bounce',
    );
  });
});

describe('planning', () => {
  it('never throws, whatever the files hold, and never repeats a key', () => {
    const line = fc.oneof(
      fc.constantFrom(
        '[Interface]',
        '[Peer]',
        `# PublicKey = ${publicKey(1)}`,
        `PublicKey = ${publicKey(2)}`,
        '### begin x',
      ),
      fc.constantFrom('Address = 10.1.0.1/24', 'AllowedIPs = 10.1.0.2/32, ::/0', 'Endpoint = a:1', 'SaveConfig = true'),
      fc.constantFrom(
        `PresharedKey = ${preshared(1)}`,
        'ListenPort = 7',
        'MTU = 9',
        'AllowedIPs = 0.0.0.0/0',
        'Address = fd00::1',
      ),
      fc.string({ unit: 'binary', maxLength: 30 }),
    );
    const texts = fc.array(
      fc.array(line, { maxLength: 10 }).map((lines) => lines.join('\n')),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(texts, (files) => {
        let count = 0;
        const input = files.map((text, i) => ({ name: `${i}.conf`, text }));
        const plan = planImport(input, { makeId: () => nodeId(`n${++count}`) });
        expect(JSON.stringify(plan)).not.toContain(preshared(1));
        for (const { name, addresses } of plan.nodes)
          expect([name.length > 0, addresses.length > 0 || plan.report.length > 0]).toEqual([true, true]);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['name', `# Name = x${' '.repeat(900_000)}y`],
    ['comment', `# x${'#'.repeat(900_000)}y`],
    ['command', `PostUp = ${'ip_forward '.repeat(80_000)}`],
  ])('is not kept busy by a long %s', (_, line) => {
    const text = `[Interface]\n# PublicKey = ${publicKey(1)}\n${line}\nAddress = 10.0.0.1/24\n`;
    const [node] = planImport([{ name: 'a.conf', text }], { makeId: () => nodeId('n') }).nodes;
    expect(node).toMatchObject({ name: expect.stringMatching(/^(a|x-y)$/), settings: {} });
  });

  it('refuses more hosts than any network has', () => {
    const key = (n: number): string =>
      publicKeyFromBytes(
        new Uint8Array(32)
          .fill(9)
          .with(0, n >> 8)
          .with(1, n & 255),
      );
    const peers = Array.from(
      { length: 5_000 },
      (_, n) => `[Peer]\nPublicKey = ${key(n)}\nAllowedIPs = fd00::${n + 2}/128\n`,
    );
    const text = `[Interface]\n# PublicKey = ${publicKey(1)}\nAddress = fd00::1/64\n${peers.join('')}`;
    const { nodes, report } = planImport([{ name: 'a.conf', text }], { makeId: () => nodeId('n') });
    expect(nodes).toEqual([]);
    expect(report[0]!.message).toBe('the files hold 5001 hosts, and 5000 is the most that is imported');
  });

  it('reads files that were redacted as files', () => {
    for (const { text } of redacted(classicFiles())) expect(isWgQuickProblem(parseWgQuick(text))).toBe(false);
  });
});
