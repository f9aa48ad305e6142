import type { IpAddress } from '@warren/base';

/** Where SSDP is spoken (UPnP Device Architecture 1.1 §1.2.2). */
export const SSDP_PORT = 1900;
export const SSDP_GROUP = '239.255.255.250' as IpAddress;

/** Services that map ports, best first (UPnP WANIPConnection:2 §2, WANPPPConnection:1 §2). */
const SERVICES = [
  'urn:schemas-upnp-org:service:WANIPConnection:2',
  'urn:schemas-upnp-org:service:WANIPConnection:1',
  'urn:schemas-upnp-org:service:WANPPPConnection:1',
] as const;

/** Devices that have such a service (UPnP InternetGatewayDevice:2). */
const GATEWAY_DEVICES = [
  'urn:schemas-upnp-org:device:InternetGatewayDevice:2',
  'urn:schemas-upnp-org:device:InternetGatewayDevice:1',
] as const;

/** Characters of a description or answer that are looked at; routers send a tenth of it. */
const MAX_TEXT = 65_536;

/** The searches for gateways, one datagram each (UPnP Device Architecture 1.1 §1.3.2). */
export function renderSsdpSearches(): string[] {
  return GATEWAY_DEVICES.map((target) =>
    ['M-SEARCH * HTTP/1.1', `HOST: ${SSDP_GROUP}:${SSDP_PORT}`, 'MAN: "ssdp:discover"', 'MX: 1', `ST: ${target}`]
      .concat('', '')
      .join('\r\n'),
  );
}

/** @returns the address of the device's description; undefined when the datagram is no answer of a gateway. */
export function parseSsdpAnswer(text: string): string | undefined {
  const lines = text.slice(0, 4096).split('\r\n');
  if (!/^HTTP\/1\.[01] 200\b/.test(lines[0] ?? '')) return undefined;
  const header = (name: string): string | undefined =>
    lines
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  const isGateway = GATEWAY_DEVICES.some((device) => header('st') === device);
  return isGateway ? header('location') : undefined;
}

/** A service that maps ports; `controlUrl` may be relative to `base` or to the description's own address. */
export interface UpnpService {
  readonly type: string;
  readonly controlUrl: string;
  readonly base: string | undefined;
}

/** The best port-mapping service in a device description (XML). @returns undefined when it has none. */
export function parseDescription(xml: string): UpnpService | undefined {
  const text = xml.slice(0, MAX_TEXT);
  const services = text
    .split('<service>')
    .slice(1)
    .map((part) => {
      const end = part.indexOf('</service>');
      const inner = end < 0 ? '' : part.slice(0, end);
      return { type: element(inner, 'serviceType') ?? '', controlUrl: element(inner, 'controlURL') ?? '' };
    });
  for (const type of SERVICES) {
    const found = services.find((service) => service.type === type && service.controlUrl !== '');
    if (found) return { ...found, base: element(text, 'URLBase') || undefined };
  }
  return undefined;
}

/** WANIPConnection:2 §2.4: what is asked of the service. Lease in seconds, 0: for ever. */
export type UpnpAction =
  | { readonly name: 'GetExternalIPAddress' }
  | {
      readonly name: 'AddPortMapping';
      readonly externalPort: number;
      readonly internalPort: number;
      readonly internalClient: IpAddress;
      readonly description: string;
      readonly leaseS: number;
    }
  | { readonly name: 'DeletePortMapping'; readonly externalPort: number };

/** A SOAP request: its SOAPAction header and body. */
export function renderSoap(
  service: string,
  action: UpnpAction,
): { readonly soapAction: string; readonly body: string } {
  const parameters = parametersOf(action)
    .map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`)
    .join('');
  const body =
    '<?xml version="1.0"?>\r\n' +
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
    `<u:${action.name} xmlns:u="${escapeXml(service)}">${parameters}</u:${action.name}></s:Body></s:Envelope>\r\n`;
  return { soapAction: `"${service}#${action.name}"`, body };
}

/** Order matters to some routers: that of the service's own description. */
function parametersOf(action: UpnpAction): [string, string][] {
  if (action.name === 'GetExternalIPAddress') return [];
  const port: [string, string][] = [
    ['NewRemoteHost', ''],
    ['NewExternalPort', String(action.externalPort)],
    ['NewProtocol', 'UDP'],
  ];
  if (action.name === 'DeletePortMapping') return port;
  return [
    ...port,
    ['NewInternalPort', String(action.internalPort)],
    ['NewInternalClient', action.internalClient],
    ['NewEnabled', '1'],
    ['NewPortMappingDescription', action.description],
    ['NewLeaseDuration', String(action.leaseS)],
  ];
}

/** WANIPConnection:2 §2.5.16: this router knows mappings without end only. */
export const ONLY_PERMANENT_LEASES = 725;
/** WANIPConnection:2 §2.5.16: another host, or another program, has the outer port. */
export const CONFLICT_IN_MAPPING = 718;

/** What an answer says: a UPnP error code and its words, and the outer address where it was asked for. */
export interface SoapAnswer {
  readonly error: { readonly code: number; readonly text: string } | undefined;
  readonly externalAddress: string | undefined;
}

/** Never throws; an answer that is none has neither error nor address. */
export function parseSoap(xml: string): SoapAnswer {
  const text = xml.slice(0, MAX_TEXT);
  const code = element(text, 'errorCode');
  const words = (element(text, 'errorDescription') ?? '').replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
  const error = code !== undefined && /^\d{1,5}$/.test(code) ? { code: Number(code), text: words } : undefined;
  return { error, externalAddress: element(text, 'NewExternalIPAddress') };
}

/**
 * The text of the first element of this name, entities resolved. Routers send flat, well-known documents; a parser of all of
 * XML would be a larger surface than what is read here.
 */
function element(xml: string, name: string): string | undefined {
  for (let at = xml.indexOf(`<${name}`); at >= 0; at = xml.indexOf(`<${name}`, at + 1)) {
    const after = xml[at + name.length + 1];
    if (after !== '>' && after !== ' ') continue; // another element that begins so
    const start = xml.indexOf('>', at);
    const end = start < 0 ? -1 : xml.indexOf('<', start);
    return end < 0 ? undefined : unescapeXml(xml.slice(start + 1, end).trim());
  }
  return undefined;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

const unescapeXml = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => ENTITIES[name]!);
const escapeXml = (text: string): string =>
  text.replace(/[&<>"']/g, (letter) => {
    const name = Object.keys(ENTITIES).find((key) => ENTITIES[key] === letter)!;
    return `&${name};`;
  });
