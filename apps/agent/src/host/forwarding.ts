import { WarrenError } from '@warren/base';
import type { Log } from '../log.js';
import { readJsonIfThere, removeFile, writeFileAtomically } from '../state/atomic-file.js';
import { findDroppingChains, renderForwardingRemoval, renderForwardingTable } from './forwarding-rules.js';
import {
  captureForwarding,
  type KernelSetting,
  type KernelSettings,
  restoreSettings,
  switchForwardingOn,
} from './kernel-settings.js';
import type { RunProgram } from './program.js';

export interface ForwardingOptions {
  /** Where is remembered what was changed, so that it is put back also after a kill -9. */
  readonly path: string;
  readonly kernel: KernelSettings;
  readonly run: RunProgram;
  readonly log: Log;
}

/** What is written down before anything is changed. */
interface Ledger {
  readonly fingerprint: string;
  readonly settings: readonly KernelSetting[];
  readonly interfaces: readonly string[];
}

/**
 * Forwarding by a bounce: kernel settings, and one nftables table an interface. Settings go on with the first
 * interface and back with the last. Calls are made one after the other.
 */
export class Forwarding {
  /** Prefixes by interface as they are up: peers change often, these hardly ever. */
  readonly #up = new Map<string, string>();

  constructor(private readonly options: ForwardingOptions) {}

  /**
   * Forwards between `prefixes` on the interface; called again, it replaces the prefixes in one step.
   * @throws WarrenError `kernel-setting-refused`, `firewall-refused`.
   */
  async putUp(interfaceName: string, prefixes: readonly string[]): Promise<void> {
    if (this.#up.get(interfaceName) === prefixes.join()) return;
    const ledger = await this.#openLedger();
    const interfaces = [...new Set([...ledger.interfaces, interfaceName])].sort();
    await this.#save({ ...ledger, interfaces });
    // The rules first: nothing is forwarded without them, not for a moment and not when nft refuses.
    await this.#putUpTable(interfaceName, prefixes);
    await switchForwardingOn(this.options.kernel, interfaceName);
    this.#up.set(interfaceName, prefixes.join());
  }

  /** Takes down what `putUp` put up for the interface. Nothing there: nothing happens. */
  async takeDown(interfaceName: string): Promise<void> {
    this.#up.delete(interfaceName);
    const ledger = await this.#load();
    if (!ledger?.interfaces.includes(interfaceName)) return;
    const interfaces = ledger.interfaces.filter((name) => name !== interfaceName);
    if (interfaces.length === 0) await restoreSettings(this.options.kernel, ledger.settings);
    await this.#removeTable(interfaceName);
    if (interfaces.length > 0) await this.#save({ ...ledger, interfaces });
    else await removeFile(this.options.path);
  }

  /** Takes down everything that a killed daemon left; at start and at the end. */
  async takeDownAll(): Promise<void> {
    const ledger = await this.#load();
    if (!ledger) return;
    if (ledger.fingerprint !== (await this.options.kernel.fingerprint())) {
      return removeFile(this.options.path); // another boot or namespace: rules and settings went with the old one
    }
    for (const name of ledger.interfaces) await this.takeDown(name);
    // A ledger without interfaces is from a kill between two steps.
    if (ledger.interfaces.length === 0) await removeFile(this.options.path);
  }

  /** The values from before the first change stay the ones to put back, also across a kill. */
  async #openLedger(): Promise<Ledger> {
    const fingerprint = await this.options.kernel.fingerprint();
    const known = await this.#load();
    if (known?.fingerprint === fingerprint) return known;
    return { fingerprint, settings: await captureForwarding(this.options.kernel), interfaces: [] };
  }

  async #load(): Promise<Ledger | undefined> {
    const file = await readJsonIfThere(this.options.path);
    return file && Array.isArray(file.settings) && Array.isArray(file.interfaces)
      ? (file as unknown as Ledger)
      : undefined;
  }

  #save(ledger: Ledger): Promise<void> {
    return writeFileAtomically(this.options.path, `${JSON.stringify(ledger)}\n`);
  }

  async #putUpTable(interfaceName: string, prefixes: readonly string[]): Promise<void> {
    const { run, log } = this.options;
    try {
      const { code, stderr } = await run('nft', ['-f', '-'], renderForwardingTable(interfaceName, prefixes));
      if (code !== 0) throw new WarrenError('firewall-refused', `nft refused the forwarding rules: ${stderr}`);
      const dropping = findDroppingChains((await run('nft', ['-j', 'list', 'chains'])).stdout);
      for (const chain of dropping) {
        log('warn', `chain ${chain} drops forwarded packets: let it accept iifname and oifname ${interfaceName}`);
      }
    } catch (error) {
      if (!(error instanceof WarrenError && error.code === 'program-missing')) throw error;
      log('warn', `${error.message}; without it forwarding is on, but not limited to the network's prefixes`);
    }
  }

  async #removeTable(interfaceName: string): Promise<void> {
    try {
      const { code, stderr } = await this.options.run('nft', ['-f', '-'], renderForwardingRemoval(interfaceName));
      if (code !== 0) this.options.log('warn', `nft could not remove the forwarding rules: ${stderr}`);
    } catch (error) {
      if (!(error instanceof WarrenError && error.code === 'program-missing')) throw error;
    }
  }
}
