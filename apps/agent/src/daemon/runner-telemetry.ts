import { WarrenError } from '@warren/base';
import type { Log } from '../log.js';
import type { NetworkRunner } from './network-runner.js';
import { PathReader } from './path-reader.js';
import { describeExplanation } from './status.js';
import { Telemetry } from './telemetry.js';

/** Tells the control plane of one running network's paths. */
export function createTelemetry(runner: NetworkRunner, log: Log): Telemetry {
  const reader = new PathReader(runner);
  return new Telemetry({
    read: () => reader.read(),
    refresh: (silentMs) => runner.refresh(silentMs),
    explain: async (nodeId) => {
      if (nodeId !== runner.membership.nodeId) return describeExplanation(runner, nodeId);
      throw new WarrenError('node-unknown', 'the node is this one itself: there is no path to explain');
    },
    random: Math.random,
    log,
  });
}
