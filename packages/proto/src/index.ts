/** Generated from proto/warren/v1 by `npm run generate`; committed, and diffed by `npm test`. */
export * from './gen/warren/v1/agent.js';
