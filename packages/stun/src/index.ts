export type { NatBehaviour } from './nat-behaviour.js';
