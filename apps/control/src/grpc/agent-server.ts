import * as grpc from '@grpc/grpc-js';
import { WarrenError } from '@warren/base';
import type { Store } from '@warren/db';
import { AgentServiceService, type SyncRequest } from '@warren/proto';
import { RELAY_ALPN } from '@warren/signal';
import type { CertificateAuthority } from '../ca/certificate-authority.js';
import type { ListenAddress } from '../config.js';
import type { Hubs } from '../hub/hubs.js';
import type { SessionLimits } from '../hub/session.js';
import type { Log } from '../log.js';
import type { Metrics } from '../metrics/metrics.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { EnrolmentService } from './enrolment.js';
import type { JoinService } from './join.js';
import { observeCalls } from './observe.js';
import { identifiedNode } from './renew.js';
import type { RotationService } from './rotation.js';
import { agentCaller, callerAddress, unary } from './rpc.js';
import { handleSync } from './sync.js';
import { listenTls, type TlsHandler } from './tls-listener.js';

/** The longest is a report of 2,000 paths (agent.proto, `PathReport`), with a reason for each. */
const MAX_REQUEST = 1024 * 1024;

export interface AgentServerOptions {
  readonly addresses: readonly ListenAddress[];
  readonly store: Store;
  readonly hubs: Hubs;
  readonly ca: CertificateAuthority;
  readonly joins: JoinService;
  readonly enrolments: EnrolmentService;
  readonly rotations: RotationService;
  /** Takes over connections of the relay. */
  readonly onRelay: TlsHandler;
  readonly limits: SessionLimits;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly metrics: Metrics;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

export interface AgentServer {
  /** With the ports that were really bound. */
  readonly addresses: readonly ListenAddress[];
  /** Takes no more connections and waits, at most a moment, for open calls to end. */
  close(): Promise<void>;
}

/** As generated, but what `Sync` sends is encoded already. */
const SERVICE = {
  ...AgentServiceService,
  sync: { ...AgentServiceService.sync, responseSerialize: asBuffer },
};

/** The same memory. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @throws WarrenError `port-in-use` naming the flag, with nothing left listening. */
export async function startAgentServer(options: AgentServerOptions): Promise<AgentServer> {
  const server = new grpc.Server({
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.max_receive_message_length': MAX_REQUEST,
    'grpc.max_concurrent_streams': 16,
    'grpc.max_connection_idle_ms': 60_000, // a connection without a call; Sync keeps an agent's in use
    'grpc.max_metadata_size': 8 * 1024,
  });
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  const listener = await listenTls(
    options.addresses,
    options.ca,
    new Map([
      ['h2', (socket) => injector.injectConnection(socket)],
      [RELAY_ALPN, options.onRelay],
    ]),
    options.log,
  );
  const calls = implementation(options, listener.disconnect);
  server.addService(SERVICE, observeCalls(calls, options.log, options.metrics));
  return {
    addresses: listener.addresses,
    async close() {
      const ended = listener.close();
      injector.drain(2_000);
      await ended;
      server.forceShutdown();
    },
  };
}

function implementation(
  options: AgentServerOptions,
  disconnect: (peer: string) => void,
): grpc.UntypedServiceImplementation {
  const { enrolments, joins, log, rotations, store } = options;
  return {
    prepareJoin: unary(log, 'prepareJoin', (request: Parameters<JoinService['prepare']>[0]) => joins.prepare(request)),
    join: unary(log, 'join', (request: Parameters<JoinService['join']>[0], call) =>
      joins.join(request, callerAddress(call)),
    ),
    renew: unary(log, 'renew', (request: Parameters<JoinService['renew']>[0]) => joins.renew(request)),
    leave: unary(log, 'leave', async (request: { nodeId: string }, call) => {
      const caller = agentCaller(call);
      if (request.nodeId !== caller.nodeId) throw new WarrenError('forbidden', 'the certificate is for another node');
      const node = await identifiedNode(store, caller.nodeId, caller.identityKey);
      if (node.status === 'revoked') throw new WarrenError('node-revoked', `${node.name} was revoked already`);
      await store.deleteNode(node.id, `node:${node.id}`);
      return {};
    }),
    enrollSignal: unary(log, 'enrollSignal', (request: Parameters<EnrolmentService['enroll']>[0]) =>
      enrolments.enroll(request),
    ),
    renewSignal: unary(log, 'renewSignal', (request: Parameters<EnrolmentService['renew']>[0]) =>
      enrolments.renew(request),
    ),
    prepareRotation: unary(log, 'prepareRotation', async (request: { nodeId: string }, call) =>
      rotations.prepare(request, agentCaller(call)),
    ),
    rotateKey: unary(log, 'rotateKey', async (request: Parameters<RotationService['rotate']>[0], call) =>
      rotations.rotate(request, agentCaller(call)),
    ),
    sync: (call: grpc.ServerDuplexStream<SyncRequest, Uint8Array>) => handleSync(call, { ...options, disconnect }),
  };
}
