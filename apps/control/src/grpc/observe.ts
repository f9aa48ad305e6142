import * as grpc from '@grpc/grpc-js';
import type { Log } from '../log.js';
import { type LogFields, requestIdOf, withLogFields } from '../log-fields.js';
import { codeLabel, type Metrics } from '../metrics/metrics.js';

type Unary = grpc.handleUnaryCall<unknown, unknown>;
type Stream = grpc.handleBidiStreamingCall<unknown, unknown>;

/** Calls whose refusal says something about a token. */
const BY_TOKEN = ['prepareJoin', 'join', 'enrollSignal'];
/** Their success is no news: each agent makes them now and then. */
const QUIET = ['prepareJoin', 'renew', 'renewSignal'];

/** The same calls, each with an id that all its log lines carry; logged and counted when they are over. */
export function observeCalls<T extends grpc.UntypedServiceImplementation>(calls: T, log: Log, metrics: Metrics): T {
  const entries = Object.entries(calls).map(([name, handler]) => [
    name,
    name === 'sync'
      ? observedStream(name, handler as Stream, metrics)
      : observedUnary(name, handler as Unary, log, metrics),
  ]);
  return Object.fromEntries(entries) as T;
}

function observedUnary(name: string, handler: Unary, log: Log, metrics: Metrics): Unary {
  return (call, done) => {
    const fields = fieldsOf(name, call.metadata);
    const began = performance.now();
    withLogFields(fields, () =>
      handler(call, (error, value, ...rest) => {
        const ms = performance.now() - began;
        count(metrics, name, error, value);
        metrics.grpcSeconds.observe({ method: name }, ms / 1000);
        // Refusals have their line already.
        if (!error)
          log[QUIET.includes(name) ? 'debug' : 'info']({ ...fields, ms: Math.round(ms * 10) / 10 }, 'answered');
        done(error, value, ...rest);
      }),
    );
  };
}

/** Its beginning and end are logged by whoever knows the agent. */
function observedStream(name: string, handler: Stream, metrics: Metrics): Stream {
  return (call) => {
    let over = false;
    const end = (code: string): void => {
      if (!over) metrics.grpcCalls.inc({ method: name, code });
      over = true;
    };
    call.on('error', (error: Partial<grpc.StatusObject>) => end(statusName(error.code)));
    call.on('cancelled', () => end('CANCELLED'));
    call.on('finish', () => end('OK'));
    call.on('close', () => end('OK'));
    withLogFields(fieldsOf(name, call.metadata), () => handler(call));
  };
}

const fieldsOf = (rpc: string, metadata: grpc.Metadata): LogFields => ({
  requestId: requestIdOf(metadata.get('x-request-id')[0]),
  rpc,
});

function count(metrics: Metrics, name: string, error: unknown, value: unknown): void {
  const status = error as Partial<grpc.StatusObject> | null | undefined;
  metrics.grpcCalls.inc({ method: name, code: status ? statusName(status.code) : 'OK' });
  const code = status && codeLabel(String(status.metadata?.get('warren-code')[0] ?? 'other'));
  if (code && BY_TOKEN.includes(name) && code.startsWith('token-')) metrics.tokenRefusals.inc({ code });
  if (name === 'join') metrics.joins.inc({ result: code ?? (isPending(value) ? 'pending' : 'joined') });
}

const isPending = (value: unknown): boolean =>
  (value as { self?: { pending?: boolean } } | null)?.self?.pending === true;

const statusName = (code: number | undefined): string => grpc.status[code ?? grpc.status.UNKNOWN] ?? 'UNKNOWN';
