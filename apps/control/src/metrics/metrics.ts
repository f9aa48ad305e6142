import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds: from what a cache answers to what somebody complains about. */
const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Stable codes are words of ours. A label shall not take on whatever an error brings along. */
const CODE = /^[a-z][a-z0-9-]{1,39}$/;

/** Bounds the values of a label that holds stable codes. */
export const codeLabel = (code: string): string => (CODE.test(code) ? code : 'other');

/**
 * What this process counts, beside what it finds out when it is asked (`render-metrics.ts`). Labels have few values:
 * routes and methods of ours, status codes, stable error codes, ids of networks. Never nodes, names, addresses.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly joins = this.#counter('warren_joins_total', 'Calls of Join, by what became of them', ['result']);
  readonly tokenRefusals = this.#counter('warren_token_refusals_total', 'Tokens that were not taken', ['code']);
  readonly revocations = this.#counter('warren_revocations_total', 'Revocations that this process carried out');
  readonly rotations = this.#counter('warren_key_rotations_total', 'WireGuard keys that agents changed here');
  readonly clones = this.#counter('warren_clones_total', 'Streams ended because two hosts share one state directory');
  readonly httpRequests = this.#counter('warren_http_requests_total', 'REST requests', ['method', 'route', 'status']);
  readonly httpSeconds = this.#histogram(
    'warren_http_request_duration_seconds',
    'Time to answer REST requests; without event streams and polls that wait',
    ['method', 'route'],
  );
  readonly signIns = this.#counter('warren_sign_ins_total', 'Sign-ins, by what became of them', ['by', 'result']);
  readonly passwordSeconds = this.#histogram(
    'warren_password_hash_duration_seconds',
    'Time to compute a hash of a password',
    [],
  );
  readonly configPolls = this.#gauge(
    'warren_config_polls_waiting',
    'Requests for a configuration file that wait for a change',
  );
  readonly eventStreams = this.#gauge('warren_event_streams', 'Open streams of server-sent events');
  readonly grpcCalls = this.#counter('warren_grpc_calls_total', 'Calls of agents and signal servers', [
    'method',
    'code',
  ]);
  readonly grpcSeconds = this.#histogram('warren_grpc_call_duration_seconds', 'Time to answer them; without Sync', [
    'method',
  ]);
  readonly pathReports = this.#counter('warren_path_reports_total', 'Reports of paths that agents sent');
  readonly pathReportDrops = this.#counter(
    'warren_path_report_drops_total',
    'Entries of such reports that were not taken, by reason',
    ['reason'],
  );
  readonly databaseSeconds = this.#histogram('warren_database_duration_seconds', 'Time of the store’s operations', [
    'operation',
  ]);
  readonly databaseErrors = this.#counter('warren_database_errors_total', 'Operations that failed; a refusal is none', [
    'operation',
  ]);

  constructor() {
    // Processor time, memory, garbage collection, handles, and the lag of the event loop.
    collectDefaultMetrics({ register: this.registry });
  }

  #counter<L extends string = never>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  #gauge(name: string, help: string): Gauge {
    return new Gauge({ name, help, registers: [this.registry] });
  }

  #histogram<L extends string>(name: string, help: string, labelNames: readonly L[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets: BUCKETS, registers: [this.registry] });
  }
}
