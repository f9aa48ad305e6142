import { askDaemon, notRunning } from '../daemon/socket-client.js';
import type { ExitCode } from '../errors.js';
import type { CommandContext } from './context.js';

export interface RotateKeyOptions {
  /** The key in use is in wrong hands. */
  readonly compromised: boolean;
}

/**
 * `agent rotate-key`: this node gets another WireGuard key, made here.
 * @throws WarrenError `not-running`, or what the control plane says; then the key is the one before.
 */
export async function rotateKeyCommand(context: CommandContext, { compromised }: RotateKeyOptions): Promise<ExitCode> {
  const { stateDir, network, output } = context;
  const request = { method: 'rotate-key', compromised, ...(network !== undefined && { network }) } as const;
  const rotated = await askDaemon(stateDir, request);
  if (!rotated) throw notRunning();
  const { before, after, generation } = rotated;
  const lines = [
    `network ${rotated.network}: the WireGuard key is another one now, generation ${generation}`,
    `  before  ${before}`,
    `  now     ${after}`,
    compromised
      ? 'Nobody accepts the one before any more. Vanilla members are cut off from this node until they have their new files.'
      : 'The one before is accepted for ten minutes at most. Vanilla members need their new files until then.',
  ];
  const result = { network: rotated.network, publicKey: after, previousPublicKey: before, generation, compromised };
  output.result(result, lines.join('\n'));
  return 0;
}
