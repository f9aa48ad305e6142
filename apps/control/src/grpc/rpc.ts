import { X509Certificate } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import { fromBase64Url, type IpAddress, type NetworkId, type NodeId, parseIpAddress, WarrenError } from '@warren/base';
import { subjectOfAgent } from '../ca/certificate-authority.js';
import { isExpected, refusalOf } from '../errors.js';
import type { Log } from '../log.js';

/**
 * Who may call: nobody is asked; the holder of a join token, or of a signal server's; the agent that a client
 * certificate or signature names; the signal server that a signature names.
 */
export type RpcScope = 'public' | 'join-token' | 'signal-token' | 'agent' | 'signal-server';

/** The scope of every RPC (invariant 13). `Renew` proves the agent by its signature: its certificate may have expired. */
export const RPC_SCOPES = {
  prepareJoin: 'join-token',
  join: 'join-token',
  renew: 'agent',
  leave: 'agent',
  prepareRotation: 'agent',
  rotateKey: 'agent',
  sync: 'agent',
  enrollSignal: 'signal-token',
  renewSignal: 'signal-server',
} as const satisfies Record<string, RpcScope>;

/** What TLS proved of a caller. */
export interface AgentCaller {
  readonly nodeId: NodeId;
  readonly networkId: NetworkId;
  readonly identityKey: Uint8Array;
}

type Surface = Pick<grpc.ServerUnaryCall<unknown, unknown>, 'getPeer' | 'getAuthContext'>;

/** @throws WarrenError `certificate-required` without a client certificate that our authority issued and that is current. */
export function agentCaller(call: Surface): AgentCaller {
  const certificate = call.getAuthContext().sslPeerCertificate;
  const subject = certificate && subjectOfAgent(certificate.subjectaltname);
  const jwk = certificate && new X509Certificate(certificate.raw).publicKey.export({ format: 'jwk' });
  const identityKey = jwk?.crv === 'Ed25519' ? fromBase64Url(jwk.x ?? '') : undefined;
  if (!subject || !identityKey) {
    throw new WarrenError('certificate-required', 'this call needs a valid agent certificate: renew it, or join first');
  }
  return { ...subject, identityKey };
}

/** The address that a caller comes from, IPv4-mapped ones unmapped. @returns undefined when the socket is gone. */
export function callerAddress(call: Surface): IpAddress | undefined {
  const host = call
    .getPeer()
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '')
    .replace(/%.*$/, '');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host);
  return parseIpAddress(mapped?.[1] ?? host);
}

/** The status that tells a caller why, with the stable code in trailing metadata `warren-code`. */
export function statusOf(error: unknown): Partial<grpc.StatusObject> {
  const refusal = refusalOf(error);
  const metadata = new grpc.Metadata();
  metadata.set('warren-code', refusal.code);
  return { code: refusal.grpc, details: refusal.message, metadata };
}

/** Turns an async function into a unary handler: errors become statuses, and unexpected ones are logged. */
export function unary<Request, Response>(
  log: Log,
  name: string,
  answer: (request: Request, call: grpc.ServerUnaryCall<Request, Response>) => Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, done) => {
    answer(call.request, call).then(
      (response) => done(null, response),
      (error: unknown) => {
        if (isExpected(error)) log.info({ rpc: name, code: (error as WarrenError).code }, 'refused');
        else log.error({ rpc: name, err: error }, 'failed');
        done(statusOf(error));
      },
    );
  };
}
