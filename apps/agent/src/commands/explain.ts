import { WarrenError } from '@warren/base';
import { askDaemon, notRunning } from '../daemon/socket-client.js';
import type { ExitCode } from '../errors.js';
import type { CommandContext } from './context.js';
import { findNode } from './find-node.js';
import { renderExplanation } from './render-explanation.js';
import { readStatusWith } from './status.js';

/**
 * `agent explain NODE`: what was tried to reach a node, and why its path is what it is.
 * @throws WarrenError `not-running`, `not-joined`, `node-unknown`, `node-is-self`.
 */
export async function explainCommand(context: CommandContext, node: string): Promise<ExitCode> {
  const status = await readStatusWith(context, node);
  if (!status.network) throw notRunning();
  const { peer, name } = findNode(status, node);
  if (!peer) throw new WarrenError('node-is-self', `${name} is this node itself: name another, see \`agent peers\``);
  const request = { method: 'explain', network: status.network.id, peer: peer.id } as const;
  const explanation = await askDaemon(context.stateDir, request);
  if (!explanation) throw notRunning();
  context.output.result(explanation, renderExplanation(explanation, new Date()));
  return 0;
}
