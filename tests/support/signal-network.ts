import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { networkId, nodeId, publicKeyFromBytes, SecretKey, toBase64, unixMillis } from '@warren/base';
import { ed25519PublicKey } from '@warren/crypto';
import { boxesReady, boxPublicKey } from '@warren/crypto/boxes';
import { relayIdOf, signTicket } from '@warren/identity';
import type { Host, HostProcess } from '@warren/netlab';
import { createKeyPair } from './wireguard-keys.js';
import type { WireGuardConfig } from './wireguard-node.js';

const RUNNER = fileURLToPath(new URL('./signal-runner.mjs', import.meta.url));
const NETWORK = networkId('lab');
const SERVER_NAME = 'relay.lab';
export const SIGNAL_PORT = 3478;
export const TLS_PORT = 443;
const DAY = 86_400_000;

/** What `startDataPlane` and `setSignalling` take, with bytes in Base64; the runner turns them back. */
export interface RunnerSignalling {
  readonly relayId: string;
  readonly pathKey: string;
  readonly predictPorts: boolean;
  readonly tls: { readonly root: string; readonly serverName: string };
}

/** An agent of the lab: keys, a ticket, and the data plane's configuration without peers. */
export interface LabAgent {
  readonly name: string;
  readonly config: WireGuardConfig & { readonly signalling: RunnerSignalling };
  readonly ticket: string;
  readonly address: string;
  /** As another one's peer. */
  readonly peer: WireGuardConfig['peers'][number] & { readonly agent: object };
}

/** The authority, the root of the certificates, and what it lets in: everything but the control plane. */
export class SignalNetwork {
  readonly #authority = new SecretKey(randomBytes(32));
  readonly #servers: {
    readonly id: string;
    readonly host: Host;
    readonly key: SecretKey;
    readonly process: HostProcess;
  }[] = [];
  readonly #tls: { readonly cert: string; readonly key: string };
  #agents = 0;

  private constructor(private readonly dir: string) {
    this.#tls = createCertificate(dir);
  }

  static async create(dir: string): Promise<SignalNetwork> {
    await boxesReady;
    return new SignalNetwork(dir);
  }

  async addServer(id: string, host: Host): Promise<HostProcess> {
    const key = new SecretKey(randomBytes(32));
    const path = join(this.dir, `signal-${id}.json`);
    const authorities = [toBase64(ed25519PublicKey(this.#authority.expose()))];
    const config = {
      host: '::',
      port: SIGNAL_PORT,
      key: toBase64(key.expose()),
      authorities,
      tls: { ...this.#tls, port: TLS_PORT },
    };
    writeFileSync(path, JSON.stringify(config));
    const process_ = host.spawn(process.execPath, [RUNNER, path]);
    await process_.waitForOutput(/^ready /m, 20_000);
    this.#servers.push({ id, host, key, process: process_ });
    return process_;
  }

  /** For `setSignalling`: every server by IPv4, and the agent's ticket. */
  signalling(agent: LabAgent) {
    return {
      ticket: agent.ticket,
      servers: this.#servers.map(({ id, host, key }) => ({
        id,
        name: id,
        udp: `${host.ipv4}:${SIGNAL_PORT}`,
        tls: [`${host.ipv4}:8443`, `${host.ipv4}:${TLS_PORT}`],
        key: toBase64(boxPublicKey(key.expose())),
      })),
    };
  }

  createAgent(name: string): LabAgent {
    const number = ++this.#agents;
    const wireguard = createKeyPair();
    const pathKey = new SecretKey(randomBytes(32));
    const publicPathKey = boxPublicKey(pathKey.expose());
    const relayId = relayIdOf(NETWORK, nodeId(name));
    const ticket = signTicket(this.#authority, {
      networkId: NETWORK,
      nodeId: nodeId(name),
      pathKey: publicKeyFromBytes(publicPathKey),
      expiresAt: unixMillis(Date.now() + DAY),
    });
    const address = `10.66.0.${number}`;
    return {
      name,
      address,
      ticket: toBase64(ticket),
      config: {
        interfaceName: 'wg0',
        privateKey: wireguard.privateKey,
        listenPort: 51_820,
        mtu: 1400,
        addresses: [`${address}/32`],
        peers: [],
        signalling: {
          relayId: toBase64(relayId),
          pathKey: toBase64(pathKey.expose()),
          predictPorts: false,
          tls: { root: this.#tls.cert, serverName: SERVER_NAME },
        },
      },
      peer: {
        publicKey: wireguard.publicKey,
        allowedIps: [`${address}/32`],
        agent: { name, relayId: toBase64(relayId), pathKey: toBase64(publicPathKey) },
      },
    };
  }
}

/** A certificate that is its own root. */
function createCertificate(dir: string): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(dir, 'relay.pem'), join(dir, 'relay.key')];
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${SERVER_NAME}`, '-addext', `subjectAltName=DNS:${SERVER_NAME}`];
  execFileSync('openssl', [...args, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}
