import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeRow } from '@warren/db';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../rest/openapi-document.js';
import { runCommandLine, type Said, startRecorder } from '../testing/command-line.fixture.js';
import { startTestPlane, type TestPlane, until } from '../testing/control-plane.fixture.js';
import { FakeAgent } from '../testing/fake-agent.fixture.js';
import { pathReport, peerReport } from '../testing/path-report.fixture.js';
import { completionTree } from './completion.js';
import { buildProgram } from './program.js';

let plane: TestPlane;
let recorder: Awaited<ReturnType<typeof startRecorder>>;
let folder: string;
let agent: FakeAgent;
/** What earlier rows made, for later ones: `<name>` in a command line. */
const made: Record<string, string> = {};

beforeAll(async () => {
  plane = await startTestPlane();
  recorder = await startRecorder(plane.context.about.httpUrl);
  folder = await mkdtemp(join(tmpdir(), 'verbs-test-'));
  await writeFile(join(folder, 'key'), `${plane.firstApiKey}\n`);
  await writeFile(join(folder, 'hub.conf'), hubFile());
  Object.assign(made, { folder, url: recorder.url, key: randomBytes(32).toString('base64') });
  for (const name of ['phone', 'tablet', 'old']) await plane.vanilla(name);
  agent = await FakeAgent.join(await plane.token(), { name: 'laptop' });
  await reportPath(await plane.context.store.findNode('tablet'));
  const { store } = plane.context;
  const admin = (await store.findUser('admin'))!;
  made.session = (await store.openSession(admin, { address: '::1', userAgent: 'Browser' }))!.session.id;
  const ids = await warren('signal token --region x --json');
  made.signalToken = JSON.parse(ids.out).id;
});
afterAll(async () => {
  agent?.close();
  await recorder?.close();
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The agent follows, has a direct path to the tablet, and explains it to whoever asks. */
async function reportPath(peer: NodeRow | undefined): Promise<void> {
  const stream = await agent.sync({ explanation: EXPLANATION }).synced();
  await until(() => stream.policies.length > 0, 'it is asked to report');
  stream.send({ $case: 'pathReport', value: pathReport([peerReport(peer!.id, { lan: true })]) });
  const { telemetry } = plane.context;
  await until(() => telemetry.network(peer!.networkId)?.size.links === 1, 'the link is there');
}

const EXPLANATION = {
  node: { id: 'x', name: 'tablet', role: 'client', addresses: [], online: true, kind: 'vanilla' },
  path: {
    ...{ kind: 'direct', endpoint: '203.0.113.5:51820', via: null, transport: 'udp' },
    ...{ rttMs: 3, since: null, reason: null },
  },
  ...{ why: 'they hear each other', advice: null, candidates: [], servers: [] },
  nat: { local: { mapping: 'none', filtering: 'none' }, remote: null },
  homes: { local: ['eu'], remote: [] },
};

/** A server with one peer, as `wg-quick` reads it. */
function hubFile(): string {
  const key = (): string => randomBytes(32).toString('base64');
  return [
    ...['[Interface]', '# Name = hub', 'Address = 10.9.0.1/24', `PrivateKey = ${key()}`, 'ListenPort = 51820', ''],
    ...['[Peer]', '# Name = spoke', `PublicKey = ${key()}`, 'AllowedIPs = 10.9.0.2/32', ''],
  ].join('\n');
}

async function warren(line: string): Promise<Said> {
  const argv = line.split(' ').map((word) => word.replace(/<(\w+)>/g, (_, name: string) => made[name] ?? `no ${name}`));
  const environment = { WARREN_URL: recorder.url, WARREN_TOKEN: plane.firstApiKey!, XDG_CONFIG_HOME: folder };
  const said = await runCommandLine(argv, { environment });
  if (said.code !== 0 || !argv.includes('--json')) return said;
  const { id, name } = JSON.parse(said.out) as { id?: string; name?: string };
  if (id) made[argv.slice(0, 2).join('').replace(/-/g, '')] = id;
  if (name) made.name = name;
  return said;
}

type Good = readonly [line: string, out: RegExp];
type Bad = readonly [line: string, code: 1 | 2, err: RegExp];

/** Every verb, each at least once as it is meant and once not. In this order: later ones need what earlier ones make. */
const VERBS: Readonly<Record<string, { good: readonly Good[]; bad: readonly Bad[] }>> = {
  'network create': {
    good: [['--name lab --cidr 10.71.0.0/16 --cidr fd71::/64', /^lab 10\.71\.0\.0\/16, fd71::\/64\n$/]],
    bad: [
      ['lab --cidr 10.72.0.0/16', 1, /named "?lab|lab/],
      ['lab2', 2, /required option '--cidr <prefix>' not specified \(see warren network create --help\)/],
      ['lab2 --cidr everything', 1, /such as 10\.44\.0\.0\/16/],
    ],
  },
  'network list': {
    good: [
      ['', /^NAME .*\n(.*\n)*lab +10\.71/],
      ['-q', /^[0-9a-f-]{36}\n[0-9a-f-]{36}\n$/],
    ],
    bad: [['-q --json', 2, /cannot be used with/]],
  },
  'network show': {
    good: [
      ['lab', /^id +.*\nname +lab\ncidrs +10\.71\.0\.0\/16, fd71::\/64\n/],
      ['lab --json', /"offlineToleranceMs": \d+/],
    ],
    bad: [
      ['lba', 1, /no network "lba": did you mean lab\?/],
      ['', 2, /missing required argument 'network'/],
    ],
  },
  'network set': {
    good: [['lab --mtu 1380', /\nmtu +1380\n/]],
    bad: [
      ['lab', 2, /say what to set/],
      ['lab --mtu 9', 2, /1280 to 1500/],
    ],
  },
  'network conf': {
    good: [['default', /^# End of file: 0 peers\n$/]],
    bad: [['defualt', 1, /did you mean default/]],
  },
  'network reserve': {
    good: [['lab 10.71.9.0/24 --note printers', /^reserved 10\.71\.9\.0\/24 for nobody\n$/]],
    bad: [
      ['lab 10.99.0.0/24', 1, /10\.99/],
      ['lab', 2, /missing required argument 'addresses'/],
    ],
  },
  'network reservations': {
    good: [['lab', /^ADDRESSES +FOR +NOTE\n10\.71\.9\.0\/24 +nobody +printers\n$/]],
    bad: [['lba', 1, /did you mean lab/]],
  },
  'network addresses': {
    good: [['lab --state reserved', /^ADDRESS .*\n10\.71\.9\.0\/24 +reserved/]],
    bad: [['lab --state lost', 2, /Allowed choices/]],
  },
  'network unreserve': {
    good: [['lab 10.71.9.0/24', /10\.71\.9\.0\/24 is no longer reserved\n$/]],
    bad: [['lab 10.71.9.0/24', 1, /reserv/]],
  },
  'network renumber': {
    good: [['lab --cidr 10.73.0.0/16 --dry-run', /lab would have 10\.73\.0\.0\/16\n$/]],
    bad: [
      ['lab', 2, /--cidr/],
      ['lba --cidr 10.73.0.0/16', 1, /did you mean lab/],
    ],
  },
  'node create': {
    good: [['watch --network lab --public-key <key>', /^watch 10\.71\.0\.1, fd71::1\n$/]],
    bad: [
      ['watch --network lab --public-key short', 1, /WireGuard public key/],
      ['x --role boss --public-key <key>', 2, /Allowed choices/],
    ],
  },
  'node list': {
    good: [
      ['--status active --search tab', /^NAME .*\ntablet +default +client +active/],
      ['--network lab --json', /"name": "watch"/],
    ],
    bad: [
      ['--status asleep', 2, /Allowed choices are pending, active, revoked, expired/],
      ['--network lba', 1, /did you mean lab/],
    ],
  },
  'node show': {
    good: [['phone', /\nname +phone\n/]],
    bad: [
      ['phnoe', 1, /no node "phnoe": did you mean phone\?/],
      ['00000000-0000-4000-8000-000000000000', 1, /there is no node/],
    ],
  },
  'node address': {
    good: [['phone 10.44.7.7', /^phone 10\.44\.7\.7, fd/]],
    bad: [
      ['phone', 2, /missing required argument 'address'/],
      ['phone 10.99.0.1', 1, /10\.99\.0\.1/],
    ],
  },
  topology: {
    good: [
      [
        '',
        /BETWEEN +AND +PATH .*\nlaptop +tablet +direct LAN +- +12\.3 ms(.*\n)+\n\d+ nodes, 1 online; 1 links: 1 direct\n$/,
      ],
      ['--kind relay', /^\d+ nodes, 1 online; 0 links\n$/],
      ['--node phone --json', /"links": \[\]/],
      ['--node laptop --json', /"kind": "direct"/],
    ],
    bad: [
      ['--network lba', 1, /did you mean lab/],
      ['--kind wormhole', 2, /Allowed choices are direct, relay, bounce, none/],
      ['--node lapotp', 1, /did you mean laptop/],
    ],
  },
  'node explain': {
    good: [['laptop tablet', /^path +laptop to tablet: direct 203\.0\.113\.5:51820\nwhy +they hear each other\n/]],
    bad: [
      ['phone tablet', 1, /vanilla member/],
      ['laptop', 2, /missing required argument 'peer'/],
      ['laptop talbet', 1, /did you mean tablet/],
    ],
  },
  'node rotate-key': {
    good: [['laptop', /^laptop /]],
    bad: [
      ['phone', 1, /vanilla/],
      ['lapotp', 1, /did you mean laptop/],
    ],
  },
  'node disable': { good: [['laptop', /^disabled laptop\n$/]], bad: [['lapotp', 1, /did you mean laptop/]] },
  'node approve': { good: [['laptop', /^approved laptop\n$/]], bad: [['lapotp', 1, /did you mean laptop/]] },
  'node extend': {
    good: [['laptop --expires 90d', /^the key of laptop expires 2\d{3}-/]],
    bad: [['laptop --expires soon', 2, /such as 30m/]],
  },
  'node clone-seen': { good: [['laptop', /^laptop: /]], bad: [['lapotp', 1, /did you mean laptop/]] },
  'node tag': {
    good: [['laptop --add web --add eu', /^laptop: (web, eu|eu, web)\n$/]],
    bad: [
      ['laptop', 2, /--add or --remove/],
      ['laptop --add Bad_Tag', 1, /lower-case/],
    ],
  },
  'node set': {
    good: [['laptop --role direct --endpoint 203.0.113.5:51820', /^laptop direct 203\.0\.113\.5:51820\n$/]],
    bad: [
      ['laptop', 2, /say what to set/],
      ['laptop --endpoint nowhere', 1, /host:port/],
    ],
  },
  'node config-key create': {
    good: [['phone', /^\S{40,}\n$/]],
    bad: [['phnoe', 1, /did you mean phone/]],
  },
  'node config-key delete': {
    good: [['phone', /^phone has no config key any more\n$/]],
    bad: [['phnoe', 1, /did you mean phone/]],
  },
  'node psk set': {
    good: [['phone laptop', /^phone and laptop have a preshared key\n$/]],
    bad: [
      ['phone', 2, /missing required argument 'peer'/],
      ['phone lapotp', 1, /did you mean laptop/],
    ],
  },
  'node psk list': { good: [['phone', /^PEER +CREATED\nlaptop +/]], bad: [['phnoe', 1, /did you mean phone/]] },
  'node psk delete': {
    good: [['phone laptop', /^phone and laptop have no preshared key any more\n$/]],
    bad: [['phone nobody', 1, /there is no node "nobody"/]],
  },
  'node rename': {
    good: [['tablet slate', /^renamed tablet to slate\n$/]],
    bad: [
      ['slate phone', 1, /phone/],
      ['slate', 2, /missing required argument 'new-name'/],
      ['slate Upper_Case', 1, /lower-case|letters/],
    ],
  },
  'node conf': {
    good: [
      ['phone', /^\[Interface\]\n[\s\S]*PrivateKey = PUT-/],
      ['phone --peers', /\n# End of file: 1 peer/],
    ],
    bad: [['nobody', 1, /there is no node "nobody"/]],
  },
  'node revoke': { good: [['old', /^revoked old\n$/]], bad: [['older', 1, /did you mean old/]] },
  'node delete': { good: [['old', /^deleted old\n$/]], bad: [['old', 1, /there is no node "old"/]] },
  'token create': {
    good: [
      ['--role direct --tag web --tag eu --ephemeral --json', /"token": "warren1_/],
      ['', /^warren1_\S+\n$/],
    ],
    bad: [
      ['--uses 0', 2, /1 to 1000000/],
      ['--tag Bad_Tag', 1, /tag/i],
    ],
  },
  'token list': {
    good: [['', /^ID +.*\n[\s\S]*<tokencreate> .*direct +0\/1 +in (1h|59m\d*s?) +usable/]],
    bad: [['--network nix', 1, /no network "nix": there are default, lab/]],
  },
  'token show': {
    good: [['<tokencreate>', /\ntags +web, eu\n/]],
    bad: [['nothing', 1, /there is no (join )?token/]],
  },
  'token revoke': { good: [['<tokencreate>', /^revoked /]], bad: [['nothing', 1, /there is no token/]] },
  'apikey create': {
    good: [
      ['ci --scope nodes:read --scope status:read --expires 90d --json', /"secret": "warrenkey_/],
      ['', /^warrenkey_\S+\n$/],
    ],
    bad: [
      ['ci --scope dance', 1, /^warren: scopes\.0: must be one of admin, networks:read,/],
      ['ci --expires soon', 2, /such as 30m/],
    ],
  },
  'apikey list': {
    good: [['', /<apikeycreate> +ci +nodes:read, status:read +in 89d +never/]],
    bad: [['extra', 2, /too many arguments/]],
  },
  'apikey show': {
    good: [['<apikeycreate>', /\nscopes +nodes:read, status:read\n/]],
    bad: [['nothing', 1, /there is no API key/]],
  },
  'apikey revoke': { good: [['<apikeycreate>', /^revoked /]], bad: [['nothing', 1, /there is no API key/]] },
  'admin link': {
    good: [
      ['', /^http:\/\/127\.0\.0\.1:\d+\/welcome#warrenlink_[\w-]{43}\n$/],
      ['--json', /"expiresAt"/],
    ],
    bad: [['admin', 2, /too many arguments/]],
  },
  'session list': {
    good: [
      ['', /^ID .*\n<session> +admin +::1 +Browser +/],
      ['-q', /^<session>\n$/],
    ],
    bad: [['x', 2, /too many arguments/]],
  },
  'session revoke': { good: [['<session>', /^revoked /]], bad: [['nothing', 1, /there is no session/]] },
  'signal token': { good: [['--region eu --json', /"region": "eu"/]], bad: [['', 2, /--region/]] },
  'signal tokens': {
    good: [['', /^ID +REGION +EXPIRES +STATE\n/]],
    bad: [['--quiet --json', 2, /cannot be used with/]],
  },
  'signal revoke': { good: [['<signaltoken>', /^revoked /]], bad: [['nothing', 1, /there is no signal token/]] },
  'signal list': {
    good: [['', /^SIGNAL SERVER .*\ncontrol +control +control /]],
    bad: [['everything', 2, /too many arguments/]],
  },
  'signal show': { good: [['control', /^id +control\n/]], bad: [['nothing', 1, /there is no signal server/]] },
  'signal delete': { good: [['control', /^deleted control\n$/]], bad: [['nothing', 1, /there is no signal server/]] },
  import: {
    good: [['<folder>/hub.conf --network wg --dry-run', /^network wg would have 10\.9\.0\.0\/24 and 2 nodes/]],
    bad: [
      ['<folder>/none.conf', 1, /no such file/],
      ['<folder>/key --network new', 1, /key, line 1|key:1/],
      ['', 2, /missing required argument 'file'/],
    ],
  },
  export: {
    good: [['--output <folder>/files', /phone\.conf\n/]],
    bad: [
      ['--output <folder>/files', 1, /is there already: give another --output, or --force/],
      ['--network nix', 1, /no network "nix"/],
    ],
  },
  status: {
    good: [['', /^version .*\n[\s\S]*NETWORK +CIDRS[\s\S]*\n(nothing needs attention|Needs attention:)/]],
    bad: [['now', 2, /too many arguments/]],
  },
  // What it prints is in event-commands.test.ts: it has no end.
  events: {
    good: [],
    bad: [
      ['--network nix', 1, /there is no network "nix"/],
      ['--since 1 2', 2, /too many arguments/],
    ],
  },
  audit: {
    good: [['--limit 2', /^AT +ACTOR +ACTION +SUBJECT\n.*\n.*\n$/]],
    bad: [
      ['--limit 0', 2, /1 to 500/],
      ['--since yesterday', 2, /2h for two hours ago/],
    ],
  },
  'context add': {
    good: [['prod --url <url> --token-file <folder>/key', /^added prod; commands speak to it\n$/]],
    bad: [
      ['prod --url <url>', 1, /already: give --replace/],
      ['../x --url <url>', 2, /letters, digits/],
      ['x --url example', 2, /is no URL such as/],
      ['x --url <url> --token-file <folder>/none', 2, /--token-file: ENOENT/],
      ['x --url <url> --token-stdin', 2, /stdin must hold one API key/],
      ['x --url https://x --ca <folder>/key', 2, /certificates in PEM/],
    ],
  },
  'context list': {
    good: [
      ['', /^ +NAME .*\n\* +prod +http:\/\/127\.0\.0\.1:\d+ +kept/],
      ['--json', /"token": true/],
    ],
    bad: [['x', 2, /too many/]],
  },
  'context use': {
    good: [['prod', /^commands speak to prod\n$/]],
    bad: [['prd', 1, /no context "prd": did you mean prod\?/]],
  },
  'context show': {
    good: [
      ['', /because +WARREN_URL/],
      ['prod', /api key +yes/],
    ],
    bad: [['lab', 1, /there are prod/]],
  },
  'context remove': { good: [['prod', /^removed prod\n$/]], bad: [['prod', 1, /add it with `warren context add`/]] },
  completion: {
    good: [['bash', /complete -F _warren warren/]],
    bad: [
      ['tcsh', 2, /bash, zsh, fish/],
      ['', 2, /missing required argument/],
    ],
  },
  version: { good: [['', /^\d+\.\d+\.\d+\n$/]], bad: [['1', 2, /too many/]] },
  serve: { good: [['--http 127.0.0.1:0', /^$/]], bad: [['--http here', 2, /--http takes address:port/]] },
  signal: { good: [['--stun 127.0.0.1:0', /^$/]], bad: [['--stun here', 2, /--stun takes address:port/]] },
  'network delete': { good: [['lab', /^deleted lab\n$/]], bad: [['default', 1, /nodes/]] },
};

/** Operations that no verb asks for, and why. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  getNodeQrSvg: 'it takes the private key, which the control plane never has: whoever makes the key draws it',
  signIn: 'a browser does it',
  useSignInLink: 'a browser does it',
  getSignInState: 'a browser asks',
  getCurrentSession: 'a browser has one',
  signOut: 'a browser does it; `session revoke` does it for others',
  changePassword: 'a browser does it; `admin link` sets one',
  getNodeTelemetry: '`topology` shows as much of all',
  getSignalToken: '`signal tokens` shows as much of all',
};

describe.each(Object.entries(VERBS))('warren %s', (verb, { good, bad }) => {
  for (const [line, out] of good) {
    it(line || 'alone', async () => {
      if (verb === 'network delete') for (const node of ['watch']) await warren(`node delete ${node} --network lab`);
      const said = await warren(`${verb} ${line}`.trim());
      expect(said).toMatchObject({ code: 0 });
      expect(said.out).toMatch(new RegExp(out.source.replace(/<(\w+)>/g, (_, name: string) => made[name]!)));
    });
  }
  for (const [line, code, err] of bad) {
    it(`refuses: ${line || 'alone'}`, async () => {
      const said = await warren(`${verb} ${line}`.trim());
      expect(said.code).toBe(code);
      if (!line.includes('--json')) expect(said.out).toBe('');
      expect(said.err).toMatch(err);
      expect(said.err).toMatch(/^warren: [^\n]+\n$/);
      const asJson = await warren(`${verb} ${line} --json`.replace(/ +/g, ' '));
      if (asJson.out) expect(JSON.parse(asJson.out).error.message).toBe(asJson.err.slice('warren: '.length, -1));
    });
  }
});

it('every verb is above', () => {
  const options = {
    environment: {},
    output: { out: () => {}, err: () => {} },
    ...{ readInput: async () => '', now: () => 0, serve: async () => 0, signal: async () => 0 },
  };
  const tree = completionTree(buildProgram(options, { code: 0 }));
  const verbs = tree.filter(({ path, commands }) => path === 'signal' || (path && commands.length === 0));
  expect(verbs.map(({ path }) => path).sort()).toEqual(Object.keys(VERBS).sort());
});

it('every operation of REST is asked for by some verb', async () => {
  const document = (await openApiDocument()) as unknown as {
    paths: Record<string, Record<string, { operationId?: string }>>;
  };
  const asked = [...recorder.asked];
  const missing: string[] = [];
  for (const [path, methods] of Object.entries(document.paths)) {
    const pattern = new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}$`);
    for (const [method, { operationId }] of Object.entries(methods)) {
      if (!operationId) continue;
      const reached = asked.some((one) => {
        const [verb, where] = one.split(' ');
        return verb === method.toUpperCase() && pattern.test(where!);
      });
      if (reached === operationId in UNREACHABLE) missing.push(operationId);
    }
  }
  expect(missing).toEqual([]);
});
