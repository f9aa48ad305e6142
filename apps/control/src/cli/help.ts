/** Commands in the overview, by what they are for. */
export const GROUPS: readonly (readonly [heading: string, commands: readonly string[]])[] = [
  ['Members:', ['network', 'node', 'token', 'import', 'export']],
  ['Watching:', ['status', 'topology', 'events', 'audit']],
  ['Access and servers:', ['admin', 'session', 'apikey', 'signal', 'context']],
  ['Running it:', ['serve', 'completion', 'version']],
];

/** Below the overview. */
export const OVERVIEW = `
A first host:
  warren token create                     # on this machine; prints a token
  agent join --token TOKEN                # on the host, as root

Which control plane a command speaks to, the first that is given:
  --context NAME or --data-dir DIR, WARREN_URL with WARREN_TOKEN, WARREN_CONTEXT,
  the one that runs on this machine, the current context (\`warren context show\`).

\`warren COMMAND --help\` explains each. Exit codes: 0 fine, 1 failed or refused, 2 wrong usage.`;

/** Examples below the help of a command. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  'network create': [
    'warren network create lab --cidr 10.45.0.0/16',
    'warren network create lab --cidr 10.45.0.0/16 --cidr fd00:45::/64',
  ],
  'network set': ['warren network set lab --mtu 1380'],
  'network renumber': [
    'warren network renumber lab --cidr 10.60.0.0/16 --dry-run',
    'warren network renumber lab --cidr 10.60.0.0/16',
  ],
  'network reserve': [
    'warren network reserve lab 10.45.9.0/24 --note printers',
    'warren network reserve lab 10.45.0.10 --name nas',
  ],
  'network addresses': ['warren network addresses lab --state resting'],
  'node create': [
    'warren node create phone --vanilla --qr                  # scan it with the app',
    'warren node create router --vanilla --output router.conf',
    'warren node create nas --public-key "$(wg pubkey < nas.key)"',
  ],
  'node config-key create': ['warren node config-key create router > key'],
  'node psk set': ['warren node psk set phone server1', 'warren node psk set phone server1 --key-file psk'],
  'node psk list': ['warren node psk list phone'],
  'node psk delete': ['warren node psk delete phone server1'],
  'node address': ['warren node address nas 10.45.0.10'],
  'network list': ['warren network list', 'warren network list --json | jq -r .items[].name'],
  'network delete': ['warren network delete lab', 'warren network delete lab --yes'],
  import: [
    'warren import server1.conf laptop.conf --dry-run',
    'warren import hosts/ --network office --endpoint server=203.0.113.5:51820',
  ],
  export: ['warren export --network office --output files', 'warren export --private-keys keys --output files'],
  'node list': [
    'warren node list --network default --status active',
    'warren node list --status pending -q | xargs -n 1 warren node approve',
  ],
  'node show': ['warren node show laptop', 'warren node show laptop --network lab --json'],
  'node rename': ['warren node rename laptop old-laptop'],
  'node revoke': ['warren node revoke laptop', 'warren node revoke laptop --network lab --yes'],
  'node delete': ['warren node delete laptop --yes'],
  'node conf': ['warren node conf phone > phone.conf', 'warren node conf phone --peers'],
  'token show': ['warren token show 5034bbd8370374ec'],
  'node approve': [
    'warren node approve laptop',
    'warren node list --status pending -q | xargs -n 1 warren node approve',
  ],
  'node disable': ['warren node disable laptop'],
  'node extend': ['warren node extend laptop --expires 90d'],
  'node tag': ['warren node tag laptop --add web --remove old'],
  'node set': ['warren node set nas --role direct --endpoint nas.example.org:51820'],
  'node clone-seen': ['warren node clone-seen laptop'],
  'token create': [
    'warren token create                                             # one host, within an hour',
    'warren token create --role bounce --expires 1d --tag eu',
    'warren token create --uses unlimited --expires never --ephemeral --tag ci',
  ],
  'token revoke': ['warren token list', 'warren token revoke gwyL3Bk6'],
  'apikey create': [
    'warren apikey create ci',
    'warren apikey create dashboard --scope nodes:read --scope status:read --expires 90d',
  ],
  'admin link': ['warren admin link', 'ssh root@warren.example.org warren admin link'],
  'session list': ['warren session list', 'warren session list -q | xargs -n 1 warren session revoke'],
  'session revoke': ['warren session list', 'warren session revoke 5034bbd8370374ec'],
  'apikey revoke': ['warren apikey list', 'warren apikey revoke 5034bbd8370374ec'],
  'signal token': ['warren signal token --region ap-south'],
  signal: ['warren signal --token TOKEN --public-host relay.example.org'],
  audit: [
    'warren audit --limit 20 --action node.',
    'warren audit --follow --network lab',
    'warren audit --since 2d --json | jq -r .items[].action',
  ],
  events: ['warren events --network lab', 'warren events --json | jq -r .type'],
  topology: ['warren topology', 'warren topology --network lab --kind relay', 'warren topology --node laptop'],
  'node explain': ['warren node explain laptop phone'],
  'node rotate-key': ['warren node rotate-key laptop'],
  status: ['warren status', 'warren status --json | jq .networks'],
  'context add': [
    'warren context add prod --url https://warren.example.org --token-file key.txt',
    'pass warren/prod | warren context add prod --url https://warren.example.org --token-stdin',
    'warren context add lab --url https://10.0.0.5 --ca lab-ca.pem --token-file key.txt',
  ],
  'context use': ['warren context use prod', 'warren --context lab node list      # for one command only'],
  'context show': ['warren context show', 'warren context show prod'],
  serve: [
    'warren serve --public-host warren.example.org --agents 0.0.0.0:443,0.0.0.0:8443',
    'DATABASE_URL=postgres://warren:PASSWORD@db.example.org/warren warren serve',
  ],
};
