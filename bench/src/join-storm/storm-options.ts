/** What one client process is to do, as the command line of it. */
export interface StormOptions {
  /** The join token as people get it. */
  readonly token: string;
  /** The network that the token leads to: records of keys name it, and are signed before the clock starts. */
  readonly network: string;
  /** Begins the names of its nodes. */
  readonly prefix: string;
  readonly joins: number;
  /** Joins under way at any moment. */
  readonly parallel: number;
  /** Each that joined opens a Sync stream and follows the network to the end. */
  readonly follow: boolean;
}

/** What one client process saw. */
export interface StormResult {
  /** Milliseconds of each join: TCP and TLS, PrepareJoin, Join. */
  readonly joined: readonly number[];
  /** Of these, milliseconds of the call `Join` alone. */
  readonly called: readonly number[];
  /** What went wrong, by stable code or status. */
  readonly errors: Readonly<Record<string, number>>;
  /** When the first began and the last was done: Unix milliseconds. */
  readonly began: number;
  readonly ended: number;
  /** Streams that were cut, or showed another digest than the control plane's. */
  readonly broken: number;
}
