import { WarrenError } from '@warren/base';

/** IFNAMSIZ − 1 of Linux. */
const MAX_NAME_BYTES = 15;

/** @throws WarrenError `bad-interface-name` unless Linux and every tool take `name` as an interface's name. */
export function checkInterfaceName(name: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) {
    throw new WarrenError(
      'bad-interface-name',
      `${JSON.stringify(name)} cannot name an interface: ${problem}; use 1 to 15 letters, digits, ".", "_" or "-", e.g. wg0`,
    );
  }
}

function nameProblem(name: string): string | undefined {
  if (name === '') return 'it is empty';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return 'it is longer than 15 bytes';
  if (!/^[A-Za-z0-9_.=+-]+$/.test(name)) return 'it has characters that are not allowed';
  if (name.startsWith('-')) return 'it begins with a dash';
  if (/^\.+$/.test(name)) return 'it consists of dots';
  // Directories of /proc/sys/net/ipv4/conf that stand for all interfaces, and the loopback.
  if (name === 'all' || name === 'default' || name === 'lo') return 'it has a meaning of its own';
  return undefined;
}
