export { type Capture, type CaptureOptions, startCapture } from './capture.js';
export { CHROMIUM_FLAGS, chromiumProgram } from './chromium.js';
export { type CommandResult, execute } from './command.js';
export { crossable } from './crossable.js';
export type { FirewallKind } from './firewall.js';
export { Host, type HostOptions, type PingOptions, type RunOptions, type SpawnOptions } from './host.js';
export { type Exit, HostProcess } from './host-process.js';
export type { Internet } from './internet.js';
export { AgentNode, type AgentOptions, type AgentPath, type AgentStatus } from './mesh/agent-node.js';
export { askAgent } from './mesh/agent-socket.js';
export {
  CLASSIC_NODES,
  type ClassicMesh,
  type ClassicMeshOptions,
  type ClassicName,
  type ClassicSite,
  createClassicSite,
  startClassicMesh,
} from './mesh/classic.js';
export { ControlPlane, type ControlPlaneOptions, type RestAnswer } from './mesh/control-plane.js';
export { type PairOutcome, tryPair } from './mesh/pair-trial.js';
export { type NetworkMember, type PairResult, pingMatrix, pingUntilAllReached, reached } from './mesh/ping-matrix.js';
export { type PingStream, type PingStreamResult, startPingStream } from './mesh/ping-stream.js';
export { meshProgram } from './mesh/programs.js';
export { expectedPath, forgetAll, gridWaves, joinGrid, type SiteGrid } from './mesh/site-grid.js';
export { type JoinOptions, type PlacedAgent, SiteMesh, type SiteMeshOptions } from './mesh/site-mesh.js';
export {
  type BehaviouralNat,
  CARRIER_NAT,
  HOME_NAT,
  type MasqueradeNat,
  type NatBehaviour,
  type NatKind,
} from './nat.js';
export { labObstacle } from './requirements.js';
export type { RebootOptions, Router, RouterOptions } from './router.js';
export type { Attachment, AttachOptions, Segment } from './segment.js';
export { addSite, MOBILE_SITE, SITE_KINDS, type Site, type SiteKind, type SiteOptions } from './site.js';
export { type WaitOptions, waitUntil } from './wait-until.js';
export { createWorld, type World, type WorldOptions } from './world.js';
