import type { Forwarding } from '../host/forwarding.js';
import type { FindPort } from '../host/ports.js';
import type { Log } from '../log.js';
import type { JoinedNetwork } from '../state/network-state.js';
import type { StartDataPlane } from './data-plane-keeper.js';
import type { HostAddressingOptions } from './host-addressing.js';
import type { PathSupportOptions } from './path-support.js';

/** What one network is run with. */
export interface RunnerOptions
  extends Pick<PathSupportOptions, 'startPortMapper' | 'startSignalServer' | 'watchNat'>,
    Pick<HostAddressingOptions, 'run' | 'others'> {
  readonly network: JoinedNetwork;
  readonly startDataPlane: StartDataPlane;
  readonly forwarding: Forwarding;
  readonly findPort: FindPort;
  /** Whether ports of NATs may be guessed; the membership may forbid it, too. */
  readonly predictPorts: boolean;
  readonly log: Log;
  readonly heartbeatInterval?: number;
}
