import type { HostPort, IpAddress, NodeId, Prefix, PublicKey, SecretKey } from '@warren/base';
import type { ConfSettings } from '../conf-settings.js';
import type { Role } from '../model.js';

/** One wg-quick file of a host. Its private key is out of it: `# PublicKey = …` stands in its place (`withoutPrivateKeys`). */
export interface ImportFile {
  /** As the person named it, with folders: it may become the node's name. */
  readonly name: string;
  readonly text: string;
}

/**
 * `completed`: the files left it out, and it was added. `not-carried-over`: it is in a file, and not in the network.
 * `conflict`: the files contradict each other, so that nothing is made.
 */
export type ImportLevel = 'completed' | 'not-carried-over' | 'conflict';

/** One thing that whoever imports should know. Never quotes a private or preshared key. */
export interface ImportNote {
  readonly level: ImportLevel;
  /** Absent: about all of them. */
  readonly file?: string;
  /** 1 for the first. */
  readonly line?: number;
  readonly message: string;
}

/** A node that will be. */
export interface PlannedNode {
  readonly id: NodeId;
  readonly name: string;
  readonly role: Role;
  readonly publicKey: PublicKey;
  /** IPv4 first; those of its file, else of the others' AllowedIPs, else the next free ones. */
  readonly addresses: readonly IpAddress[];
  readonly endpoint?: HostPort;
  readonly settings: ConfSettings;
  /** The file that it comes from; absent: it is known from other hosts' files only. */
  readonly file?: string;
}

/** A preshared key and the two that have it. */
export interface PlannedPresharedKey {
  readonly a: NodeId;
  readonly b: NodeId;
  readonly key: SecretKey;
}

/** A network as files describe it. With a `conflict` in the report it must not be made. */
export interface ImportPlan {
  readonly cidrs: readonly Prefix[];
  /** In order of name. */
  readonly nodes: readonly PlannedNode[];
  readonly presharedKeys: readonly PlannedPresharedKey[];
  /** Conflicts first. */
  readonly report: readonly ImportNote[];
}

/** What files cannot say. */
export interface ImportOptions {
  /** A fresh id at each call. */
  readonly makeId: () => NodeId;
  /** Prefixes of the network; absent: found in the files. */
  readonly cidrs?: readonly string[];
  /** Endpoints by node name, for those that no file tells. */
  readonly endpoints?: ReadonlyMap<string, HostPort>;
}

/** Collects what there is to say. */
export class ImportReport {
  readonly #notes: ImportNote[] = [];
  readonly #said = new Set<string>();

  /** The same thing about the same line is said once. */
  add(level: ImportLevel, message: string, file?: string, line?: number): void {
    const note = { level, ...(file !== undefined && { file }), ...(line !== undefined && { line }), message };
    const key = JSON.stringify(note);
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.#notes.push(note);
  }

  get hasConflict(): boolean {
    return this.#notes.some(({ level }) => level === 'conflict');
  }

  /** Conflicts first, else in the order in which they were found. */
  notes(): ImportNote[] {
    const isConflict = ({ level }: ImportNote): boolean => level === 'conflict';
    return [...this.#notes.filter(isConflict), ...this.#notes.filter((note) => !isConflict(note))];
  }
}
