export {
  createWarrenClient,
  pages,
  type Schemas,
  take,
  type WarrenClient,
  type WarrenClientOptions,
} from './client.js';
export type { operations, paths } from './gen/schema.js';
export { WarrenProblem } from './problem.js';
