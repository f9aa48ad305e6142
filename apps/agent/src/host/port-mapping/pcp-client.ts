import { equalBytes } from '@warren/base';
import {
  decodeNatPmpResponse,
  decodePcpMapResponse,
  describePcpResult,
  encodePcpMapRequest,
  PCP_NONCE_LENGTH,
} from '@warren/paths';
import { exchangeDatagrams } from './datagram-exchange.js';
import type { Gateway } from './gateway.js';
import type { MappingAnswer, MappingProtocol, WantedMapping } from './mapping-protocol.js';

/**
 * Port Control Protocol (RFC 6887), opcode MAP.
 *
 * @param nonce 12 bytes, the same for this node and port for ever: a mapping from before a kill -9 is then ours to renew,
 * and nobody else's (§11.2).
 */
export function pcpProtocol(nonce: Uint8Array): MappingProtocol {
  const ask = (gateway: Gateway, wanted: WantedMapping, lifetimeS: number, signal: AbortSignal) => {
    const request = encodePcpMapRequest({
      clientAddress: gateway.local,
      nonce: nonce.slice(0, PCP_NONCE_LENGTH),
      internalPort: wanted.internalPort,
      suggestedPort: lifetimeS === 0 ? 0 : wanted.externalPort,
      suggestedAddress: undefined,
      lifetimeS,
    });
    return exchangeDatagrams(gateway, request, (bytes) => decodeAnswer(bytes, nonce, wanted.internalPort), signal);
  };
  return {
    name: 'pcp',
    async request(gateway, wanted, signal): Promise<MappingAnswer> {
      const answer = await ask(gateway, wanted, wanted.lifetimeS, signal);
      if (!answer || answer === 'other-protocol') return undefined;
      const { result, externalAddress, externalPort, lifetimeS } = answer;
      if (result !== 0) return { refused: describePcpResult(result) };
      if (externalPort === 0 || lifetimeS === 0) return { refused: 'it granted nothing' };
      return { address: externalAddress, port: externalPort, lifetimeS };
    },
    async release(gateway, wanted, signal) {
      await ask(gateway, wanted, 0, signal);
    },
  };
}

function decodeAnswer(bytes: Uint8Array, nonce: Uint8Array, internalPort: number) {
  const response = decodePcpMapResponse(bytes);
  if (response)
    return equalBytes(response.nonce, nonce) && response.internalPort === internalPort ? response : undefined;
  // RFC 6886 §3.5: so answers a gateway that knows only the older protocol.
  return decodeNatPmpResponse(bytes) ? ('other-protocol' as const) : undefined;
}
