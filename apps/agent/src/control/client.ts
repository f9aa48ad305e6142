import { type Client, type ClientUnaryCall, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { AgentServiceClient } from '@warren/proto';
import { SERVICE_NAME } from './pinned-root.js';
import { translateCallError } from './refusal.js';

/** How the agent proves itself in TLS; PEM. */
export interface ClientIdentity {
  readonly privateKey: string;
  readonly chain: string;
}

export interface ControlTarget {
  /** `host:port`. */
  readonly address: string;
  /** The only trust anchor, PEM. */
  readonly rootPem: string;
  readonly identity?: ClientIdentity;
}

/** Milliseconds a unary call may take. */
const CALL_TIMEOUT = 10_000;

/** A client with a connection of its own, so that closing it closes exactly that. */
export function createControlClient({ address, rootPem, identity }: ControlTarget): AgentServiceClient {
  const secure = credentials.createSsl(
    Buffer.from(rootPem),
    identity ? Buffer.from(identity.privateKey) : null,
    identity ? Buffer.from(identity.chain) : null,
  );
  return new AgentServiceClient(address, secure, {
    'grpc.ssl_target_name_override': SERVICE_NAME,
    'grpc.default_authority': SERVICE_NAME,
    'grpc.use_local_subchannel_pool': 1,
    // The pin check dials directly, so must this.
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_receive_message_length': 64 * 1024 * 1024,
  });
}

type UnaryMethod<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: { deadline: number },
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** One unary call with a deadline. Rejects with what gRPC gave: `translateCallError` says it to people. */
export function callUnary<Request, Response>(
  client: Client,
  method: UnaryMethod<Request, Response>,
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + CALL_TIMEOUT;
    method.call(client, request, new Metadata(), { deadline }, (error, response) =>
      error ? reject(error) : resolve(response),
    );
  });
}

/** Makes a client, uses it, closes it; errors come translated. */
export async function withControlClient<T>(
  target: ControlTarget,
  use: (client: AgentServiceClient) => Promise<T>,
): Promise<T> {
  const client = createControlClient(target);
  try {
    return await use(client);
  } catch (error) {
    throw translateCallError(error, target.address);
  } finally {
    client.close();
  }
}

/** DER to PEM. */
export function certificatePem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
