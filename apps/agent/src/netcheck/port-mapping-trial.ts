import { randomBytes, randomInt } from 'node:crypto';
import { PCP_NONCE_LENGTH } from '@warren/paths';
import type { CommandContext } from '../commands/context.js';
import type { PortMapping } from '../host/port-mapping/port-mapping.js';
import type { Membership } from '../state/membership.js';

/** Routers that map ports answer within a second; PCP, NAT-PMP and UPnP are asked one after the other. */
const PATIENCE = 5_000;

/**
 * Asks the router to forward a port, and gives the mapping back: for a host on which no agent runs.
 * @returns null when no router does, or when routers are to be left alone (`WARREN_PORT_MAPPING`).
 */
export async function tryPortMapping(
  { config }: Pick<CommandContext, 'config'>,
  { interfaceName }: Membership,
): Promise<PortMapping | null> {
  if (!config.portMapping) return null;
  const { startPortMapper } = await import('../host/port-mapping/start-port-mapper.js');
  let found: (mapping: PortMapping | null) => void = () => undefined;
  const mapping = new Promise<PortMapping | null>((resolve) => {
    found = resolve;
  });
  const timer = setTimeout(() => found(null), PATIENCE);
  const mapper = await startPortMapper({
    // Not the agent's own: what the router still holds for an agent that was killed is left alone.
    port: randomInt(49_152, 65_536),
    leaveOut: new Set([interfaceName]),
    nonce: Uint8Array.from(randomBytes(PCP_NONCE_LENGTH)),
    onChange: (change) => change && found(change),
    log: () => undefined,
  });
  try {
    return await mapping;
  } finally {
    clearTimeout(timer);
    await mapper.stop();
  }
}
