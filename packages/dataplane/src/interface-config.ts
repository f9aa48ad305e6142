import { readFile } from 'node:fs/promises';
import { ipFamily, type Prefix, parseIpAddress, parsePrefix, prefixLength, WarrenError } from '@warren/base';
import { type CommandProblem, type RunBatch, runIpBatch } from './iproute2.js';

/** Least MTU on which Linux runs IPv6 (RFC 8200 §5). */
const IPV6_MIN_MTU = 1280;

/** Interface address with its own prefix length, host bits kept, canonical: `10.44.0.3/16`. */
export type InterfaceAddress = string & { readonly __brand: 'InterfaceAddress' };

/** @throws WarrenError `bad-address`. A bare address is its own /32 or /128. */
export function parseInterfaceAddress(text: string): InterfaceAddress {
  const prefix = parsePrefix(text);
  const address = parseIpAddress(text.split('/')[0]!);
  if (!prefix || !address) {
    throw new WarrenError('bad-address', `${JSON.stringify(text)} is no interface address: write e.g. 10.44.0.3/32`);
  }
  return `${address}/${prefixLength(prefix)}` as InterfaceAddress;
}

export interface InterfaceConfigOptions {
  readonly interfaceName: string;
  readonly mtu: number;
  readonly warn: (message: string) => void;
  /** Replaced in tests. */
  readonly run?: RunBatch;
  /** Whether the kernel takes IPv6 addresses on the interface; asked once. Replaced in tests. */
  readonly hasIpv6?: () => Promise<boolean>;
}

/**
 * Addresses and routes of one interface through iproute2. It touches nothing that it did not put up; what it put up goes
 * away with the interface, so there is nothing to undo. Calls must not overlap.
 */
export class InterfaceConfig {
  readonly #name: string;
  readonly #run: RunBatch;
  #addresses: readonly InterfaceAddress[] = [];
  /** Routes of ours, and those that were there already: never tried again, never deleted. */
  readonly #routes = new Set<Prefix>();
  readonly #foreign = new Set<Prefix>();
  #ipv6: boolean | undefined;

  constructor(private readonly options: InterfaceConfigOptions) {
    this.#name = options.interfaceName;
    this.#run = options.run ?? runIpBatch;
  }

  /** Sets MTU, addresses, link up and routes in one go. @throws WarrenError when a step other than a route fails. */
  async bringUp(addresses: readonly InterfaceAddress[], routes: Iterable<Prefix>): Promise<void> {
    const usable = await this.#usable(addresses);
    const routesToAdd = await this.#usable([...new Set(routes)]);
    const setup = [
      ['link', 'set', 'dev', this.#name, 'mtu', String(this.options.mtu), 'up'],
      ...usable.map((address) => this.#addressCommand('add', address, usable)),
    ];
    const problems = await this.#run([...setup, ...routesToAdd.map((route) => this.#routeCommand('add', route))]);
    this.#addresses = usable;
    for (const route of routesToAdd) this.#routes.add(route);
    this.#judge(problems);
  }

  /** Sets the MTU only; the interface stays down. */
  async setMtu(): Promise<void> {
    this.#judge(await this.#run([['link', 'set', 'dev', this.#name, 'mtu', String(this.options.mtu)]]));
  }

  /**
   * Sets exactly these addresses; routes stay. New connections use the first one of a family: the kernel prefers IPv4
   * addresses in the order in which they came, and IPv6 addresses that are not deprecated.
   */
  async setAddresses(addresses: readonly InterfaceAddress[]): Promise<void> {
    const usable = await this.#usable(addresses);
    const former = this.#addresses;
    if (former.join() === usable.join()) return;
    const added = usable.filter((address) => !former.includes(address));
    const removed = former.filter((address) => !usable.includes(address));
    const kernel = [...former.filter((address) => usable.includes(address)), ...added];
    const moved = outOfOrder(kernel.filter(isIpv4), usable.filter(isIpv4));
    const commands = [
      ...added.map((address) => this.#addressCommand('add', address, usable)),
      ...removed.map((address) => this.#addressCommand('delete', address, usable)),
      ...moved.flatMap((address) => [
        this.#addressCommand('delete', address, usable),
        this.#addressCommand('add', address, usable),
      ]),
    ];
    if (removed.length + moved.length > 0) {
      // With an address Linux also removes those of the same subnet that came later, and with the last one all routes.
      for (const address of usable) commands.push(this.#addressCommand('replace', address, usable));
      for (const route of this.#routes) commands.push(this.#routeCommand('replace', route));
    } else {
      for (const address of usable) {
        if (former.includes(address) && isDeprecated(address, usable) !== isDeprecated(address, former))
          commands.push(this.#addressCommand('replace', address, usable));
      }
    }
    const problems = await this.#run(commands);
    this.#addresses = usable;
    this.#judge(problems);
  }

  /** Routes exactly these prefixes to the interface. A prefix that has a route elsewhere keeps it, with a warning. */
  async setRoutes(routes: Iterable<Prefix>): Promise<void> {
    const wanted = new Set(await this.#usable([...routes]));
    const removed = [...this.#routes].filter((route) => !wanted.has(route));
    const added = [...wanted].filter((route) => !this.#routes.has(route) && !this.#foreign.has(route));
    const problems = await this.#run([
      ...removed.map((route) => this.#routeCommand('delete', route)),
      ...added.map((route) => this.#routeCommand('add', route)),
    ]);
    for (const route of removed) this.#routes.delete(route);
    for (const route of added) this.#routes.add(route);
    for (const route of this.#foreign) if (!wanted.has(route)) this.#foreign.delete(route);
    this.#judge(problems);
  }

  /** The host's routes are others now: those that something else had may be free. */
  forgetForeign(): void {
    this.#foreign.clear();
  }

  /** Sets addresses and routes again that the kernel forgot while the link was down; a route that has an owner since is left to it. */
  async putBack(): Promise<void> {
    const routes = [...this.#routes];
    const problems = await this.#run([
      ...this.#addresses.map((address) => this.#addressCommand('replace', address, this.#addresses)),
      ...routes.map((route) => this.#routeCommand('delete', route)),
      ...routes.map((route) => this.#routeCommand('add', route)),
    ]);
    this.#judge(problems);
  }

  #judge(problems: readonly CommandProblem[]): void {
    let failed: WarrenError | undefined;
    for (const { command, message } of problems) {
      const route = command[0] === 'route' ? (command[2] as Prefix) : undefined;
      if (route === undefined) failed ??= this.#failure(command, message);
      else this.#routeProblem(command[1]!, route, message);
    }
    if (failed) throw failed;
  }

  #routeProblem(verb: string, route: Prefix, message: string): void {
    // Deleting what is gone already: the goal is reached.
    if (verb === 'delete') return;
    this.#routes.delete(route);
    this.#foreign.add(route);
    if (this.#isOwnSubnet(route)) return;
    const why = /File exists/.test(message) ? 'a route to it exists already' : message;
    this.options.warn(`${route} is not routed to ${this.#name}: ${why}`);
  }

  /** The kernel routes the subnet of each address by itself. */
  #isOwnSubnet(route: Prefix): boolean {
    return this.#addresses.some((address) => parsePrefix(address) === route);
  }

  #failure(command: readonly string[], message: string): WarrenError {
    if (/Operation not permitted/.test(message)) {
      return new WarrenError('not-root', `no permission to set up ${this.#name}: run as root (or with CAP_NET_ADMIN)`);
    }
    return new WarrenError('interface-setup-failed', `\`ip ${command.join(' ')}\` failed: ${message}`);
  }

  /** Leaves out IPv6 where the kernel would refuse it, and says so once. */
  async #usable<T extends string>(items: readonly T[]): Promise<T[]> {
    const unique = [...new Set(items)];
    if (!unique.some((item) => item.includes(':'))) return unique;
    if (this.#ipv6 === undefined) {
      this.#ipv6 = await (this.options.hasIpv6 ?? (() => interfaceHasIpv6(this.#name, this.options.mtu)))();
      if (!this.#ipv6) {
        const why =
          this.options.mtu < IPV6_MIN_MTU ? `its MTU is below ${IPV6_MIN_MTU}` : 'IPv6 is disabled on this host';
        this.options.warn(`${this.#name} gets no IPv6 addresses and routes: ${why}`);
      }
    }
    return this.#ipv6 ? unique : unique.filter((item) => !item.includes(':'));
  }

  #addressCommand(
    verb: 'add' | 'delete' | 'replace',
    address: InterfaceAddress,
    all: readonly InterfaceAddress[],
  ): string[] {
    const command = ['address', verb, address, 'dev', this.#name];
    if (isIpv4(address) || verb === 'delete') return command;
    // No other host can have the address: nothing to detect, and it is usable at once.
    command.push('nodad');
    // `replace` leaves lifetimes as they are unless they are given.
    if (isDeprecated(address, all)) command.push('preferred_lft', '0');
    else if (verb === 'replace') command.push('valid_lft', 'forever', 'preferred_lft', 'forever');
    return command;
  }

  #routeCommand(verb: 'add' | 'delete' | 'replace', route: Prefix): string[] {
    return ['route', verb, route, 'dev', this.#name];
  }
}

const isIpv4 = (address: InterfaceAddress): boolean => ipFamily(address as string as Prefix) === 4;

/** Whether new connections shall use another IPv6 address than this one. */
const isDeprecated = (address: InterfaceAddress, all: readonly InterfaceAddress[]): boolean =>
  !isIpv4(address) && all.find((other) => !isIpv4(other)) !== address;

/** What must go to the end, in this order, for `has` to become `wanted`; both hold the same. */
function outOfOrder(
  has: readonly InterfaceAddress[],
  wanted: readonly InterfaceAddress[],
): readonly InterfaceAddress[] {
  let at = 0;
  let kept = 0;
  for (; kept < wanted.length; kept++) {
    const found = has.indexOf(wanted[kept]!, at);
    if (found < 0) break;
    at = found + 1;
  }
  return wanted.slice(kept);
}

/** Asks the network namespace of this process. */
async function interfaceHasIpv6(name: string, mtu: number): Promise<boolean> {
  if (mtu < IPV6_MIN_MTU) return false;
  try {
    return (await readFile(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, 'utf8')).trim() === '0';
  } catch {
    return false; // a kernel without IPv6 has no such file
  }
}
