export { formatJoinToken, type JoinToken, parseJoinToken } from './join-token.js';
