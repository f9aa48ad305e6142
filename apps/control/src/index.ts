export type { ServeConfig } from './config.js';
export { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.js';
