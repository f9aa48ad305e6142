import type { Host } from '../host.js';
import type { Segment } from '../segment.js';
import { addSite, type Site, type SiteKind, type SiteOptions } from '../site.js';
import { waitUntil } from '../wait-until.js';
import { createWorld, type World } from '../world.js';
import { AgentNode, type AgentOptions, type AgentStatus } from './agent-node.js';
import { ControlPlane, type ControlPlaneOptions } from './control-plane.js';

export interface SiteMeshOptions {
  readonly name: string;
  readonly control?: ControlPlaneOptions;
  /** Of every agent, beside what each is given. */
  readonly agentEnv?: Readonly<Record<string, string>>;
}

/** An agent and where it is. */
export interface PlacedAgent {
  readonly site: Site;
  readonly host: Host;
  readonly agent: AgentNode;
}

export interface JoinOptions extends Partial<Omit<AgentOptions, 'name' | 'onOutput'>> {
  readonly name: string;
  /** A kind of site, made for this agent alone, or one that is there. */
  readonly at: SiteKind | Site;
  readonly lan?: SiteOptions['lan'];
  readonly customerOf?: SiteOptions['customerOf'];
}

/** Starting all at once would only make each wait for the others. */
const JOINING_AT_ONCE = 4;
const CONNECTED_MS = 30_000;

/** A control plane on a public host, and agents at sites of any kind. */
export class SiteMesh {
  /** All that a program has printed so far; `control` or an agent's name. */
  readonly logs = new Map<string, string>();

  private constructor(
    readonly world: World,
    readonly control: ControlPlane,
    private readonly token: string,
    private readonly agentEnv: Readonly<Record<string, string>>,
  ) {}

  static async start(options: SiteMeshOptions): Promise<SiteMesh> {
    const world = await createWorld({ name: options.name });
    try {
      const said: string[] = [];
      const onOutput = (text: string): void => {
        mesh ? mesh.keep('control', text) : said.push(text);
      };
      let mesh: SiteMesh | undefined;
      const host = await world.addHost({ name: 'control' });
      const control = await ControlPlane.start(host, { ...options.control, onOutput });
      const token = await control.createToken(['--uses', '1000']);
      mesh = new SiteMesh(world, control, token, options.agentEnv ?? {});
      mesh.keep('control', said.join(''));
      return mesh;
    } catch (error) {
      await world.close();
      throw error;
    }
  }

  /** Joins an agent and waits until it is connected. */
  async join(options: JoinOptions): Promise<PlacedAgent> {
    const { name, at, lan, customerOf, env, ...rest } = options;
    const where = { ...(lan ? { lan } : {}), ...(customerOf ? { customerOf } : {}) };
    const site = 'segment' in at ? at : await addSite(this.world, { name, kind: at, ...where });
    const host = await this.world.addHost({ name, on: site.segment });
    const agent = await AgentNode.join(host, {
      name,
      token: this.token,
      env: { ...this.agentEnv, ...env },
      onOutput: (text) => this.keep(name, text),
      ...rest,
    });
    const up = ({ state, control }: AgentStatus): boolean => state === 'running' && control.connected;
    await waitUntil(`${name} to be connected`, { timeoutMs: CONNECTED_MS }, async () => up(await agent.look()));
    return { site, host, agent };
  }

  /** Joins several, a few at a time; in the order that they are given. */
  async joinAll(all: readonly JoinOptions[]): Promise<PlacedAgent[]> {
    const joined: PlacedAgent[] = [];
    const left = [...all.entries()];
    const work = async (): Promise<void> => {
      for (let next = left.shift(); next; next = left.shift()) joined[next[0]] = await this.join(next[1]);
    };
    await Promise.all(Array.from({ length: JOINING_AT_ONCE }, work));
    return joined;
  }

  /** A host without an agent. */
  addHost(name: string, on?: Segment): Promise<Host> {
    return this.world.addHost({ name, ...(on ? { on } : {}) });
  }

  /** The end of what each program has printed. */
  lastWords(length = 2_000): string {
    return [...this.logs].map(([name, text]) => `--- ${name}\n${text.slice(-length)}`).join('\n');
  }

  close(): Promise<void> {
    return this.world.close();
  }

  private keep(name: string, text: string): void {
    this.logs.set(name, ((this.logs.get(name) ?? '') + text).slice(-200_000));
  }
}
