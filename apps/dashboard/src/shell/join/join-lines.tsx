import { parseHostPort } from '@warren/base';
import { parseNodeName } from '@warren/topology';
import { type ReactNode, useState } from 'react';
import type { CreatedToken } from '../../api/tokens.js';
import { CopyBlock } from '../../ui/copy.js';
import { TextField } from '../../ui/field.js';
import { Tabs } from '../../ui/tabs.js';
import { DOCKER_BUILD, dockerCommands, INSTALL, type JoinLine, joinCommand, systemdCommands } from './join-commands.js';

/** The line to copy, for each way of running the agent. */
export function JoinLines({ token }: { token: CreatedToken }) {
  const [way, setWay] = useState('shell');
  const [name, setName] = useState('');
  const [endpoint, setEndpoint] = useState('');
  const line: JoinLine = {
    token: token.token,
    name: parseNodeName(name) ?? undefined,
    endpoint: parseHostPort(endpoint) ? endpoint : undefined,
  };
  const tabs = [
    { id: 'shell', label: 'Shell', content: <Shell line={line} /> },
    { id: 'systemd', label: 'systemd', content: <Systemd line={line} /> },
    { id: 'docker', label: 'Docker', content: <Docker line={line} /> },
  ];
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <Tabs label="How the agent runs" tabs={tabs} value={way} onChange={setWay} />
      <HostOptions {...{ token, name, setName, endpoint, setEndpoint }} />
    </div>
  );
}

interface HostOptionsProps {
  readonly token: CreatedToken;
  readonly name: string;
  readonly setName: (name: string) => void;
  readonly endpoint: string;
  readonly setEndpoint: (endpoint: string) => void;
}

/** What belongs to one host rather than to the token: it changes the line at once. */
const HostOptions = ({ token, name, setName, endpoint, setEndpoint }: HostOptionsProps) => (
  <details open={token.role === 'direct' || token.role === 'bounce' ? true : undefined}>
    <summary className="w-fit rounded py-1 font-medium text-accent">Name and address of the host</summary>
    <div className="mt-3 grid items-start gap-4 sm:grid-cols-2">
      <TextField
        label="Name in the network"
        hint="Without one it is the host’s own name."
        placeholder="laptop"
        value={name}
        onChange={(event) => setName(event.target.value)}
        error={name !== '' && !parseNodeName(name) ? 'lower-case letters, digits and hyphens, at most 63' : undefined}
        autoComplete="off"
      />
      {token.role !== 'client' && (
        <TextField
          label="Endpoint, for role direct or bounce"
          hint="Host and UDP port by which others reach it. Without one: the address it joins from."
          placeholder="server.example.org:51820"
          value={endpoint}
          onChange={(event) => setEndpoint(event.target.value)}
          error={endpoint !== '' && !parseHostPort(endpoint) ? 'host:port, such as 203.0.113.5:51820' : undefined}
          autoComplete="off"
        />
      )}
    </div>
  </details>
);

const Way = ({ children }: { children: ReactNode }) => <div className="flex min-w-0 flex-col gap-3">{children}</div>;

const Shell = ({ line }: { line: JoinLine }) => (
  <Way>
    <p>Run on the host, as root:</p>
    <CopyBlock wrap text={joinCommand(line)} what="the join line" />
    <p>Or with sudo:</p>
    <CopyBlock wrap text={`sudo ${joinCommand(line)}`} what="the join line with sudo" />
    <p className="text-muted text-sm">
      Where systemd runs the host, the agent becomes a service that is back after a reboot. Elsewhere it stays in the
      foreground. Joining again with the same line is harmless.
    </p>
    <Install />
  </Way>
);

const Systemd = ({ line }: { line: JoinLine }) => (
  <Way>
    <p>
      <code>agent join</code> makes a service by itself. To run the hardened unit instead, as root:
    </p>
    <CopyBlock text={systemdCommands(line)} what="the commands for systemd" />
    <Install />
  </Way>
);

const Docker = ({ line }: { line: JoinLine }) => (
  <Way>
    <p>Build the image once, on the host or where its registry is fed, with Warren’s source in /opt/warren:</p>
    <CopyBlock text={DOCKER_BUILD} what="the command that builds the image" />
    <p>Join, then run:</p>
    <CopyBlock text={dockerCommands(line)} what="the commands for Docker" />
    <p className="text-muted text-sm">
      So the host itself joins. Leave <code>--network host</code> out and the container joins instead; another container
      shares its network with <code>--network container:warren-agent</code>. A bounce in a container of its own also
      needs <code>--sysctl net.ipv4.ip_forward=1 --sysctl net.ipv6.conf.all.forwarding=1</code>.
    </p>
  </Way>
);

const Install = () => (
  <details>
    <summary className="w-fit rounded py-1 font-medium text-accent">The host does not have the agent yet</summary>
    <div className="mt-2 flex min-w-0 flex-col gap-3">
      <p>
        Copy Warren’s source to /opt/warren on the host. Node 20.19 or newer, npm and <code>/dev/net/tun</code> have to
        be there. Then, as root:
      </p>
      <CopyBlock text={INSTALL} what="the commands that install the agent" />
    </div>
  </details>
);
