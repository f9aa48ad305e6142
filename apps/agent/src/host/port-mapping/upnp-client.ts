import { createSocket } from 'node:dgram';
import { request as httpRequest } from 'node:http';
import { type IpAddress, ipFamily, parseIpAddress } from '@warren/base';
import {
  CONFLICT_IN_MAPPING,
  ONLY_PERMANENT_LEASES,
  parseDescription,
  parseSoap,
  parseSsdpAnswer,
  renderSoap,
  renderSsdpSearches,
  SSDP_GROUP,
  type UpnpAction,
} from '@warren/paths';
import type { Gateway } from './gateway.js';
import type { GrantedMapping, MappingAnswer, MappingProtocol, WantedMapping } from './mapping-protocol.js';

/** Milliseconds: MX of the search is one second. */
const SEARCH_TIME = 1500;
const HTTP_TIME = 3000;
/** Bytes of an answer; no router sends as much. */
const MAX_BODY = 65_536;
/** Outer ports that are tried when another host has the one that we want. */
const PORT_ATTEMPTS = 4;
const DESCRIPTION = 'warren';

interface Control {
  readonly url: URL;
  readonly service: string;
}

/**
 * UPnP Internet Gateway Device: search by SSDP, then SOAP over HTTP. Only the gateway itself is believed: any host of the LAN
 * could answer a search, and the address in an answer could lead anywhere.
 */
export const upnpProtocol: MappingProtocol = {
  name: 'upnp',
  async request(gateway, wanted, signal): Promise<MappingAnswer> {
    const control = await findControl(gateway, signal);
    if (!control) return undefined;
    const outer = await callService(gateway, control, { name: 'GetExternalIPAddress' }, signal);
    const address = parseIpAddress(outer?.externalAddress ?? '');
    if (!address || ipFamily(address) !== 4) {
      return { refused: outer?.error?.text || 'it did not say its outer address' };
    }
    return addMapping(gateway, control, { ...wanted, address }, signal);
  },
  async release(gateway, { externalPort }, signal) {
    const control = await findControl(gateway, signal);
    if (control) await callService(gateway, control, { name: 'DeletePortMapping', externalPort }, signal);
  },
};

/** Asks again with other terms where the router says that it dislikes exactly those. */
async function addMapping(
  gateway: Gateway,
  control: Control,
  wanted: WantedMapping & { readonly address: IpAddress },
  signal: AbortSignal,
): Promise<GrantedMapping | { refused: string }> {
  let [port, leaseS] = [wanted.externalPort, wanted.lifetimeS];
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const { internalPort } = wanted;
    const terms = { internalPort, internalClient: gateway.local, externalPort: port, leaseS, description: DESCRIPTION };
    const answer = await callService(gateway, control, { name: 'AddPortMapping', ...terms }, signal);
    if (!answer) return { refused: 'it did not answer' };
    if (!answer.error) return { address: wanted.address, port, lifetimeS: leaseS };
    if (answer.error.code === ONLY_PERMANENT_LEASES && leaseS !== 0) leaseS = 0;
    else if (answer.error.code === CONFLICT_IN_MAPPING) port = 1024 + Math.floor(Math.random() * 64_000);
    else return { refused: answer.error.text || `it refused with code ${answer.error.code}` };
  }
  return { refused: 'other hosts have all outer ports that were tried' };
}

async function findControl(gateway: Gateway, signal: AbortSignal): Promise<Control | undefined> {
  const location = await searchGateway(gateway, signal);
  const url = location && urlAtGateway(location, undefined, gateway);
  if (!url) return undefined;
  const description = await exchangeHttp(gateway, url, { method: 'GET' }, signal);
  const service = description && parseDescription(description.body);
  if (!service) return undefined;
  const control = urlAtGateway(service.controlUrl, service.base ?? url.href, gateway);
  return control && { url: control, service: service.type };
}

/** @returns the address of its description. */
function searchGateway(gateway: Gateway, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    let done = false;
    const finish = (location: string | undefined): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.close();
      resolve(location);
    };
    const abort = (): void => finish(undefined);
    const timer = setTimeout(abort, SEARCH_TIME);
    if (signal.aborted) return finish(undefined);
    signal.addEventListener('abort', abort, { once: true });
    socket.on('error', () => finish(undefined));
    socket.on('message', (bytes, { address }) => {
      const location = address === gateway.address ? parseSsdpAnswer(bytes.toString('latin1')) : undefined;
      if (location !== undefined) finish(location);
    });
    socket.bind(0, gateway.local, () => {
      if (done) return;
      for (const search of renderSsdpSearches()) {
        // To the group as the standard has it, and to the gateway alone: switches lose multicast.
        for (const address of [SSDP_GROUP, gateway.address]) {
          // One of the ways may be closed: whoever answers first counts.
          socket.send(search, gateway.ssdpPort, address, () => undefined);
        }
      }
    });
  });
}

function urlAtGateway(text: string, base: string | undefined, gateway: Gateway): URL | undefined {
  if (!URL.canParse(text, base)) return undefined;
  const url = new URL(text, base);
  return url.protocol === 'http:' && url.hostname === gateway.address ? url : undefined;
}

async function callService(gateway: Gateway, control: Control, action: UpnpAction, signal: AbortSignal) {
  const { soapAction, body } = renderSoap(control.service, action);
  const headers = { SOAPAction: soapAction, 'Content-Type': 'text/xml; charset="utf-8"' };
  const answer = await exchangeHttp(gateway, control.url, { method: 'POST', headers, body }, signal);
  if (!answer) return undefined;
  const parsed = parseSoap(answer.body);
  if (answer.status === 200 || parsed.error) return parsed;
  return { error: { code: answer.status, text: `it answered HTTP ${answer.status}` }, externalAddress: undefined };
}

interface HttpOptions {
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** No redirects, no more than `MAX_BODY`. @returns undefined when no whole answer came. */
function exchangeHttp(
  gateway: Gateway,
  url: URL,
  { method, headers = {}, body = '' }: HttpOptions,
  signal: AbortSignal,
): Promise<{ status: number; body: string } | undefined> {
  return new Promise((resolve) => {
    const length = method === 'POST' ? { 'Content-Length': String(Buffer.byteLength(body)) } : {};
    const limit = AbortSignal.any([signal, AbortSignal.timeout(HTTP_TIME)]);
    const options = { method, headers: { ...headers, ...length, Connection: 'close' }, signal: limit, agent: false };
    const request = httpRequest(url, { ...options, localAddress: gateway.local }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('error', () => resolve(undefined));
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MAX_BODY) request.destroy();
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    request.on('error', () => resolve(undefined)); // refused, timed out, stopped
    request.on('close', () => resolve(undefined));
    request.end(body);
  });
}
