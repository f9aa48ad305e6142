import type { ServeConfig } from './config.js';
import { type ControlPlane, startControlPlane } from './control-plane.js';
import { dashboardFolder, isBuilt } from './dashboard/dashboard-files.js';
import type { Log } from './log.js';
import { joinTokenText } from './rest/tokens.js';

/** How long the sign-in link that is printed while there is no password can be used. */
const FIRST_LINK_LIFE = 86_400_000;
/** How long the join line that is printed at each start can be used. */
const FIRST_TOKEN_LIFE = 3_600_000;
/** A shutdown that takes longer is no longer orderly. */
const SHUTDOWN_TIMEOUT = 15_000;

/** Runs until SIGTERM or SIGINT, then drains. @returns the exit code. */
export async function serve(config: ServeConfig, log: Log, print: (text: string) => void): Promise<number> {
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, resolve);
  });
  const plane = await startControlPlane(config, log);
  print(await greeting(plane));
  const { httpUrl: http, agentAddresses: agents, stunAddress: stun } = plane.context.about;
  log.info({ http, agents, stun }, 'ready');
  const signal = await stopped;
  log.info({ signal }, 'stopping');
  const timer = setTimeout(() => {
    log.error('the shutdown hangs: giving up');
    process.exit(1);
  }, SHUTDOWN_TIMEOUT);
  await plane.close();
  clearTimeout(timer);
  log.info('stopped');
  return 0;
}

/** What an operator needs next. */
async function greeting(plane: ControlPlane): Promise<string> {
  const { about } = plane.context;
  const key = plane.firstApiKey
    ? `  API key     ${plane.firstApiKey}\n              (shown this once; \`warren apikey create\` makes another)\n`
    : '';
  return `
Warren is ready.

${await dashboardLines(plane)}  REST API    ${about.httpUrl}/api/docs
${key}  agents      ${about.agentAddresses.join(', ')} (TCP)
  relay       ${about.stunAddress} (UDP: STUN, signalling, relay)

${await joinLine(plane)}
`;
}

async function dashboardLines({ context }: ControlPlane): Promise<string> {
  const { store, about } = context;
  const missing = isBuilt(dashboardFolder()) ? '' : '              (it is not built: `npm run build` does that)\n';
  if (await store.isSetUp())
    return `  dashboard   ${about.httpUrl}/\n              (password forgotten: \`warren admin link\`)\n${missing}`;
  const { link } = await store.createSignInLink(FIRST_LINK_LIFE, 'local');
  return `  dashboard   ${about.httpUrl}/welcome#${link}
              (open it to set the password: once, within a day; \`warren admin link\` makes another)\n${missing}`;
}

async function joinLine({ context, network }: ControlPlane): Promise<string> {
  if (!network) return 'Join hosts with `warren token create --network NAME` and `agent join --token …`.';
  const { token, secret } = await context.store.createToken(
    { networkId: network.id, maxUses: 1, expiresAt: new Date(context.now() + FIRST_TOKEN_LIFE) },
    'local',
  );
  return `Join a host to the network ${network.name} (one use, within an hour; \`warren token create\` makes more):

  agent join --token ${joinTokenText(context, token, secret)}`;
}
