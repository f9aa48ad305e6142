import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IpAddress } from '@warren/base';
import { decodeNatPmpRequest, decodePcpMapRequest, encodeNatPmpResponse, encodePcpMapResponse } from '@warren/paths';
import type { Gateway } from '../host/port-mapping/gateway.js';

const LOOPBACK = '127.0.0.1' as IpAddress;
const SERVICE = 'urn:schemas-upnp-org:service:WANIPConnection:1';
const DEVICE = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1';

/** A router on the loopback interface that speaks what the test lets it speak. */
export class FakeGateway {
  readonly speaks = new Set<'pcp' | 'nat-pmp' | 'upnp'>();
  externalAddress = '203.0.113.7' as IpAddress;
  /** Of granted mappings, seconds. */
  lifetimeS = 7200;
  /** PCP and NAT-PMP result code of mappings. */
  result = 0;
  /** UPnP: error code by requested port or lease. */
  upnpError: (port: number, leaseS: number) => number | undefined = () => undefined;
  /** Where the SSDP answer points, instead of here. */
  location: string | undefined;
  /** One line a request that it understood. */
  readonly requests: string[] = [];
  /** Outer port to inner port. */
  readonly mappings = new Map<number, number>();

  private constructor(
    private readonly pcp: Socket,
    private readonly ssdp: Socket,
    private readonly http: Server,
  ) {}

  static async start(): Promise<FakeGateway> {
    const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
    for (const socket of sockets) await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
    const http = createServer();
    await new Promise<void>((resolve) => http.listen(0, LOOPBACK, resolve));
    const gateway = new FakeGateway(...sockets, http);
    gateway.#serve();
    return gateway;
  }

  get gateway(): Gateway {
    const ports = { pcpPort: this.pcp.address().port, ssdpPort: this.ssdp.address().port };
    return { interfaceName: 'lo', address: LOOPBACK, local: LOOPBACK, ...ports };
  }

  async close(): Promise<void> {
    this.pcp.close();
    this.ssdp.close();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  #serve(): void {
    this.pcp.on('message', (bytes, { port }) => {
      const answer = this.#answerPcp(bytes) ?? this.#answerNatPmp(bytes);
      if (answer) this.pcp.send(answer, port, LOOPBACK);
    });
    this.ssdp.on('message', (_, { port }) => {
      if (!this.speaks.has('upnp')) return;
      const here = `http://127.0.0.1:${(this.http.address() as AddressInfo).port}/root.xml`;
      this.ssdp.send(`HTTP/1.1 200 OK\r\nST: ${DEVICE}\r\nLOCATION: ${this.location ?? here}\r\n\r\n`, port, LOOPBACK);
    });
    this.http.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      request.on('end', () => {
        const [status, text] = this.#answerHttp(request.url ?? '', body);
        response.writeHead(status, { 'Content-Type': 'text/xml' }).end(text);
      });
    });
  }

  #answerPcp(bytes: Uint8Array): Uint8Array | undefined {
    const request = decodePcpMapRequest(bytes);
    if (!request || !this.speaks.has('pcp')) return undefined;
    const { nonce, internalPort, suggestedPort } = request;
    this.requests.push(`pcp ${request.lifetimeS === 0 ? 'release' : 'map'} ${internalPort}`);
    const lifetimeS = this.#map(request.lifetimeS, suggestedPort, internalPort);
    return encodePcpMapResponse({
      result: this.result,
      lifetimeS,
      epochS: 1,
      nonce,
      internalPort,
      externalPort: suggestedPort,
      externalAddress: this.externalAddress,
    });
  }

  #answerNatPmp(bytes: Uint8Array): Uint8Array | undefined {
    if (!this.speaks.has('nat-pmp')) return undefined;
    const common = { result: this.result, epochS: 1 };
    // RFC 6886 §3.5: another version is answered in this one.
    if (bytes[0] === 2) return encodeNatPmpResponse({ type: 'refused', opcode: 1, result: 1, epochS: 1 });
    const request = decodeNatPmpRequest(bytes);
    if (request === 'external-address') {
      return encodeNatPmpResponse({ type: request, ...common, result: 0, externalAddress: this.externalAddress });
    }
    if (!request) return undefined;
    const { internalPort, suggestedPort } = request;
    this.requests.push(`nat-pmp ${request.lifetimeS === 0 ? 'release' : 'map'} ${internalPort}`);
    const lifetimeS = this.#map(request.lifetimeS, suggestedPort, internalPort);
    return encodeNatPmpResponse({ type: 'mapped', ...common, internalPort, externalPort: suggestedPort, lifetimeS });
  }

  #map(wantedLifetimeS: number, outer: number, inner: number): number {
    for (const [port, known] of this.mappings) if (known === inner) this.mappings.delete(port);
    if (wantedLifetimeS === 0 || this.result !== 0) return 0;
    this.mappings.set(outer, inner);
    return Math.min(wantedLifetimeS, this.lifetimeS);
  }

  #answerHttp(url: string, body: string): [status: number, text: string] {
    if (url === '/root.xml') {
      const service = `<serviceType>${SERVICE}</serviceType><controlURL>/control</controlURL>`;
      return [200, `<root><device><service>${service}</service></device></root>`];
    }
    const value = (name: string): number => Number(new RegExp(`<${name}>(\\d+)<`).exec(body)?.[1] ?? 0);
    if (body.includes('GetExternalIPAddress')) {
      return [200, `<NewExternalIPAddress>${this.externalAddress}</NewExternalIPAddress>`];
    }
    const outer = value('NewExternalPort');
    if (body.includes('DeletePortMapping')) {
      this.requests.push(`upnp release ${outer}`);
      this.mappings.delete(outer);
      return [200, '<ok/>'];
    }
    const lease = value('NewLeaseDuration');
    this.requests.push(`upnp map ${outer} for ${lease}`);
    const error = this.upnpError(outer, lease);
    if (error !== undefined) return [500, `<errorCode>${error}</errorCode><errorDescription>no</errorDescription>`];
    this.mappings.set(outer, value('NewInternalPort'));
    return [200, '<ok/>'];
  }
}
