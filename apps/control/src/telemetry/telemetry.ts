/** What agents that are connected to this process report of the mesh, by network. */
export class Telemetry {
  /** For whoever looks after the process. */
  numbers(): { links: number; reports: number; dropped: number } {
    return { links: 0, reports: 0, dropped: 0 };
  }
}
