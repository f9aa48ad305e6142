import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** They wait for most of their time: begun last, they would be alone at the end. Slowest first. */
const SLOW = [
  'tests/interop/wireguard-go',
  'tests/lab/vanilla',
  'tests/lab/nat-grid',
  'tests/lab/static-pair',
  'tests/lab/paths-pair',
  'tests/browser/views',
  'tests/sim/worlds',
  'tests/sim/idle',
  'apps/control/src/crash',
  'packages/db/src/embedded/server',
];

/** As Vitest does it, by what took long or failed the last time; those that are known to be slow before all others. */
export class TestOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = SLOW.findIndex((name) => moduleId.includes(name));
      return found < 0 ? SLOW.length : found;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
