import { isDrop, parseEndpoint } from '@warren/base';
import { describe, expect, it } from 'vitest';
import {
  changeRequestAttribute,
  paddingAttribute,
  readAddress,
  readErrorCode,
  readUnknownAttributes,
  readXorMappedAddress,
  responsePortAttribute,
  type TransportAddress,
} from './attributes.js';
import {
  type BindingAnswer,
  type BindingServerOptions,
  createBindingServer,
  type ServerSocket,
} from './binding-server.js';
import { BINDING_METHOD, MAX_RESPONSE_RATIO } from './constants.js';
import { decodeMessage, encodeMessage, type StunAttribute, type StunClass, type StunMessage } from './message.js';

const at = (text: string): TransportAddress => parseEndpoint(text)!;
const CLIENT = at('198.51.100.7:41000');
const CLIENT6 = at('[2001:db8::7]:41000');
const ONE = { primary: at('192.0.2.1:3478'), 'alternate-port': at('192.0.2.1:3479') };
const TWO = { ...ONE, 'alternate-address': at('192.0.2.2:3478'), both: at('192.0.2.2:3479') };
const PADDING = paddingAttribute(24);
const transactionId = new Uint8Array(12).fill(9);

const request = (
  attributes: readonly StunAttribute[] = [],
  messageClass: StunClass = 'request',
  method = BINDING_METHOD,
) => encodeMessage({ class: messageClass, method, transactionId, attributes });

interface Asked {
  readonly sockets?: BindingServerOptions['sockets'];
  readonly from?: TransportAddress;
  readonly at?: ServerSocket;
}

function ask(datagram: Uint8Array, { sockets = TWO, from = CLIENT, at: socket = 'primary' }: Asked = {}) {
  const answer = createBindingServer({ sockets }).answer(datagram, from, socket);
  if (!answer) return undefined;
  const message = decodeMessage(answer.datagram);
  if (isDrop(message)) throw new Error(message.reason);
  expect(answer.datagram.length).toBeLessThanOrEqual(datagram.length * MAX_RESPONSE_RATIO);
  return { ...answer, message };
}

const refusal = (answer: (BindingAnswer & { message: StunMessage }) | undefined) =>
  answer && {
    code: readErrorCode(answer.message)?.code,
    unknown: readUnknownAttributes(answer.message),
    to: answer.to,
  };

describe('a binding server', () => {
  it('says where a request came from, over both families', () => {
    for (const from of [CLIENT, CLIENT6]) {
      const answer = ask(request(), { from, sockets: { primary: at('[2001:db8::1]:3478') } })!;
      expect(answer).toMatchObject({ via: 'primary', to: from, message: { class: 'success', transactionId } });
      expect(readXorMappedAddress(answer.message)).toEqual(from);
      expect(answer.message.attributes).toHaveLength(1);
    }
  });

  it('says where it is and where else, when the request is long enough', () => {
    const { message } = ask(request([PADDING]))!;
    expect(readAddress(message, 'RESPONSE-ORIGIN')).toEqual(TWO.primary);
    expect(readAddress(message, 'OTHER-ADDRESS')).toEqual(TWO.both);
    expect(ask(request())!.message.attributes).toHaveLength(1);
  });

  it('with one address names that address with the other port', () => {
    const { message } = ask(request([PADDING]), { sockets: ONE })!;
    expect(readAddress(message, 'OTHER-ADDRESS')).toEqual(ONE['alternate-port']);
  });

  it('bound to every address claims none, and names the other port in the family of the client', () => {
    const sockets = { primary: at('[::]:3478'), 'alternate-port': at('[::]:3479') };
    const { message } = ask(request([PADDING]), { sockets })!;
    expect(readAddress(message, 'RESPONSE-ORIGIN')).toBeUndefined();
    expect(readAddress(message, 'OTHER-ADDRESS')).toEqual({ address: '0.0.0.0', port: 3479 });
  });

  it.each([
    ['primary', false, true, 'alternate-port'],
    ['primary', true, false, 'alternate-address'],
    ['primary', true, true, 'both'],
    ['both', true, true, 'primary'],
    ['both', true, false, 'alternate-port'],
    ['alternate-port', true, true, 'alternate-address'],
    ['alternate-address', false, false, 'alternate-address'],
  ] as const)('asked at %s to change address %s and port %s answers from %s', (socket, address, port, via) => {
    const answer = ask(request([changeRequestAttribute({ address, port }), PADDING]), { at: socket })!;
    expect(answer.via).toBe(via);
    expect(readAddress(answer.message, 'RESPONSE-ORIGIN')).toEqual(TWO[via]);
  });

  it('refuses a change that it has no socket for, naming the attribute', () => {
    const change = request([changeRequestAttribute({ address: true, port: true })]);
    expect(refusal(ask(change, { sockets: ONE }))).toEqual({ code: 420, unknown: [0x0003], to: CLIENT });
    // Its second address is of the other family.
    expect(refusal(ask(change, { from: CLIENT6, sockets: { ...TWO, primary: at('[::]:3478') } }))?.code).toBe(420);
  });

  it('answers to another port of the sender, but not to a well-known one', () => {
    expect(ask(request([responsePortAttribute(50_000)]))!.to).toEqual({ ...CLIENT, port: 50_000 });
    for (const port of [0, 53, 1023]) expect(refusal(ask(request([responsePortAttribute(port)])))?.code).toBe(400);
  });

  it('names what it does not understand and must, and passes over the rest', () => {
    const unknown = [0x24, 0x25, 0x24, 0x7fff].map((type) => ({ type, value: new Uint8Array(4) }));
    expect(refusal(ask(request(unknown)))).toEqual({ code: 420, unknown: [0x24, 0x25, 0x7fff], to: CLIENT });
    const shortest = request([{ type: 0x24, value: new Uint8Array(0) }]);
    expect(refusal(ask(shortest))?.unknown).toEqual([0x24]);
    expect(ask(request([{ type: 0x8029, value: new Uint8Array(8) }]))!.message.class).toBe('success');
  });

  it('answers no responses, indications, other methods, or anything else', () => {
    for (const other of ['indication', 'success', 'error'] as const) expect(ask(request([], other))).toBeUndefined();
    expect(ask(request([], 'request', 0x003))).toBeUndefined();
    expect(ask(request().subarray(0, 19))).toBeUndefined();
    expect(ask(new Uint8Array(0))).toBeUndefined();
  });

  it('has a fingerprint if the request has', () => {
    const datagram = encodeMessage(
      { class: 'request', method: BINDING_METHOD, transactionId, attributes: [] },
      { fingerprint: true },
    ); // prettier-ignore
    const { message } = ask(datagram, { from: CLIENT6, sockets: { primary: at('[::]:3478') } })!;
    expect(message.attributes.at(-1)?.type).toBe(0x8028);
  });
});
