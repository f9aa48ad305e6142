import type { StartPortMapper } from '../../daemon/path-support.js';
import { readGateway } from './gateway.js';
import { natPmpProtocol } from './nat-pmp-client.js';
import { pcpProtocol } from './pcp-client.js';
import { PortMapper } from './port-mapping.js';
import { upnpProtocol } from './upnp-client.js';

/** With this host's gateway and every protocol: the newest first, and the one with the most code on routers last. */
export const startPortMapper: StartPortMapper = async ({ nonce, ...options }) => {
  const mapper = new PortMapper({
    ...options,
    readGateway,
    protocols: [pcpProtocol(nonce), natPmpProtocol, upnpProtocol],
  });
  mapper.start();
  return mapper;
};
