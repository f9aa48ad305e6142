import {
  decodeNatPmpResponse,
  describeNatPmpResult,
  encodeNatPmpAddressRequest,
  encodeNatPmpMapRequest,
} from '@warren/paths';
import { exchangeDatagrams } from './datagram-exchange.js';
import type { MappingAnswer, MappingProtocol } from './mapping-protocol.js';

type Response = NonNullable<ReturnType<typeof decodeNatPmpResponse>>;

/** NAT Port Mapping Protocol (RFC 6886). */
export const natPmpProtocol: MappingProtocol = {
  name: 'nat-pmp',
  async request(gateway, wanted, signal): Promise<MappingAnswer> {
    // The address first (§3.2): who answers that speaks the protocol.
    const outer = await exchangeDatagrams(gateway, encodeNatPmpAddressRequest(), answerTo('external-address'), signal);
    if (!outer) return undefined;
    if (outer.type !== 'external-address' || outer.result !== 0) return { refused: describeNatPmpResult(outer.result) };
    const { internalPort, externalPort: suggestedPort, lifetimeS } = wanted;
    const request = encodeNatPmpMapRequest({ internalPort, suggestedPort, lifetimeS });
    const mapped = await exchangeDatagrams(gateway, request, answerTo('mapped', internalPort), signal);
    if (!mapped) return { refused: 'it did not answer' };
    if (mapped.type !== 'mapped' || mapped.result !== 0) return { refused: describeNatPmpResult(mapped.result) };
    if (mapped.externalPort === 0 || mapped.lifetimeS === 0) return { refused: 'it granted nothing' };
    return { address: outer.externalAddress, port: mapped.externalPort, lifetimeS: mapped.lifetimeS };
  },
  async release(gateway, { internalPort }, signal) {
    // §3.4: both zero.
    const request = encodeNatPmpMapRequest({ internalPort, suggestedPort: 0, lifetimeS: 0 });
    await exchangeDatagrams(gateway, request, answerTo('mapped', internalPort), signal);
  },
};

/** Of the answers that decode, those to this request: a late one to another is left alone. */
const answerTo =
  (type: 'external-address' | 'mapped', internalPort?: number) =>
  (bytes: Uint8Array): Response | undefined => {
    const response = decodeNatPmpResponse(bytes);
    if (response?.type === 'refused') return response.opcode === (type === 'mapped' ? 1 : 0) ? response : undefined;
    if (response?.type !== type) return undefined;
    return response.type === 'mapped' && response.internalPort !== internalPort ? undefined : response;
  };
