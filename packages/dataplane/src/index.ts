export { startDataPlane } from './data-plane.js';
export type {
  DataPlane,
  DataPlaneChange,
  DataPlaneOptions,
  DataPlanePeer,
  DataPlanePeerStats,
  DataPlaneStats,
  PacketPath,
} from './data-plane-api.js';
