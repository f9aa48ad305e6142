import { spawnSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { WarrenError } from '@warren/base';

/**
 * How PostgreSQL, which refuses to run as root, is run:
 * - `plain`: we are no root.
 * - `user-namespace`: inside it, we are seen as nobody; files stay ours. Also for users without a name (containers
 *   with a random uid), for whom initdb refuses to work.
 * - `setuid`: as another user, with leave to pass our closed directories where the host grants it.
 */
export type Isolation = 'plain' | 'user-namespace' | 'setuid';

/** Runs programs of PostgreSQL as somebody who is not root. */
export interface Runner {
  readonly isolation: Isolation;
  /** Owner that files of the server must have; undefined: ours. */
  readonly uid: number | undefined;
  /** The command line that runs `command`; it becomes `command` by exec, so the process id is its own. */
  wrap(command: string, args: readonly string[]): { command: string; args: string[]; uid?: number; gid?: number };
}

/** The user without rights of its own, on Linux and in the kernel's default of an unmapped user alike. */
export const NOBODY = 65_534;

/**
 * @param owner uid that owns the existing cluster; undefined when there is none.
 * @param wanted forces one way, for hosts (and tests) where probing is not wanted.
 * @throws WarrenError `data-dir-foreign` when a cluster belongs to somebody whom we cannot become.
 */
export function chooseRunner(owner: number | undefined, wanted?: Isolation): Runner {
  const me = process.getuid?.();
  if (me !== 0) {
    if (owner !== undefined && me !== undefined && owner !== me) {
      const text = `the database in the data dir belongs to uid ${owner}, and we are uid ${me}: run as its owner, or choose another --data-dir`;
      throw new WarrenError('data-dir-foreign', text);
    }
    return hasName() || !runs(userNamespace) ? plain : userNamespace;
  }
  if (owner !== undefined && owner !== 0) return setuid(owner);
  const namespace = wanted ? wanted === 'user-namespace' : runs(userNamespace);
  return namespace ? userNamespace : setuid(NOBODY);
}

const plain: Runner = {
  isolation: 'plain',
  uid: undefined,
  wrap: (command, args) => ({ command, args: [...args] }),
};

const userNamespace: Runner = {
  isolation: 'user-namespace',
  uid: undefined,
  wrap: (command, args) => ({
    command: 'unshare',
    args: ['--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--', command, ...args],
  }),
};

/** With `dac_override` kept, the other user passes our 0700 directories; some containers do not have it to give. */
function setuid(uid: number): Runner {
  const withCapability: Runner = {
    isolation: 'setuid',
    uid,
    wrap: (command, args) => ({
      command: 'setpriv',
      args: [
        ...[`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'],
        ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--', command, ...args],
      ],
    }),
  };
  if (runs(withCapability)) return withCapability;
  return { isolation: 'setuid', uid, wrap: (command, args) => ({ command, args: [...args], uid, gid: uid }) };
}

/** Whether our uid has an entry in the user database. */
function hasName(): boolean {
  try {
    userInfo();
    return true;
  } catch {
    return false;
  }
}

function runs(runner: Runner): boolean {
  const { command, args } = runner.wrap('true', []);
  return spawnSync(command, args, { stdio: 'ignore', timeout: 5000 }).status === 0;
}
