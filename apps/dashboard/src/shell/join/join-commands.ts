/** What is run on a host that joins. Values are checked before they come here: none needs quoting in a shell. */
export interface JoinLine {
  readonly token: string;
  readonly name?: string | undefined;
  readonly endpoint?: string | undefined;
}

const flags = ({ token, name, endpoint }: JoinLine): string =>
  [`--token ${token}`, name && `--name ${name}`, endpoint && `--endpoint ${endpoint}`].filter(Boolean).join(' ');

export const joinCommand = (line: JoinLine): string => `agent join ${flags(line)}`;

/** As root, with the source of Warren in /opt/warren (infra/README.md). */
export const INSTALL = [
  'cd /opt/warren && npm run build',
  'ln -sf /opt/warren/apps/agent/bin/agent.mjs /usr/local/bin/agent',
].join('\n');

/** The hardened unit instead of the plain one that `agent join` makes. */
export const systemdCommands = (line: JoinLine): string =>
  [
    `agent join ${flags(line)} --no-start`,
    'install -m 0644 /opt/warren/infra/systemd/warren-agent.service /etc/systemd/system/warren-agent.service',
    'systemctl daemon-reload',
    'systemctl enable --now warren-agent',
  ].join('\n');

export const DOCKER_BUILD = 'cd /opt/warren && docker build -f infra/images/agent.Dockerfile -t warren-agent .';

const DOCKER = '-v warren-agent:/var/lib/warren --cap-add NET_ADMIN --device /dev/net/tun --network host';

export const dockerCommands = (line: JoinLine): string =>
  [
    `docker run --rm ${DOCKER} \\\n  warren-agent join ${flags(line)} --no-start`,
    `docker run -d --name warren-agent --restart unless-stopped ${DOCKER} \\\n  warren-agent`,
  ].join('\n');
