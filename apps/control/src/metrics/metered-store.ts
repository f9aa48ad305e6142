import type { Store } from '@warren/db';
import { isExpected } from '../errors.js';
import type { Metrics } from './metrics.js';

type Operation = (...args: unknown[]) => Promise<unknown>;

/** Operations that wait for something else than the database, or that are no question to it. */
const UNTIMED: readonly string[] = ['close', 'onChange'];

/** The same store; each of its operations is timed, and those that matter to an operator are counted. */
export function meteredStore(store: Store, metrics: Metrics): Store {
  const counted: Readonly<Record<string, () => void>> = {
    revokeNode: () => metrics.revocations.inc(),
    rotateKey: () => metrics.rotations.inc(),
  };
  const entries = Object.entries(store).map(([name, value]) => {
    if (typeof value !== 'function' || UNTIMED.includes(name)) return [name, value];
    return [name, metered(value as Operation, name, metrics, counted[name])];
  });
  return Object.fromEntries(entries) as Store;
}

function metered(operation: Operation, name: string, metrics: Metrics, onDone: (() => void) | undefined): Operation {
  return async (...args) => {
    const end = metrics.databaseSeconds.startTimer({ operation: name });
    try {
      const result = await operation(...args);
      onDone?.();
      return result;
    } catch (error) {
      if (!isExpected(error) || (error as { code?: string }).code === 'database-unavailable') {
        metrics.databaseErrors.inc({ operation: name });
      }
      throw error;
    } finally {
      end();
    }
  };
}
