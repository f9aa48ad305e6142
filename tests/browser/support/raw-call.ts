import type { Host, RestAnswer } from '@warren/netlab';

export interface RawCall {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A request from the control plane's own host with exactly these headers: what no browser would send, too. */
export async function rawCall(host: Host, call: RawCall): Promise<RestAnswer> {
  const { stdout, stderr } = await host.run(process.execPath, ['-e', PROGRAM], { input: JSON.stringify(call) });
  if (stdout === '') throw new Error(`${call.method} ${call.path}: ${stderr}`);
  return JSON.parse(stdout) as RestAnswer;
}

const PROGRAM = `
let text = '';
process.stdin.on('data', (part) => { text += part; }).on('end', () => {
  const { method, path, headers, body } = JSON.parse(text);
  const sent = body === undefined ? '' : JSON.stringify(body);
  const all = { ...(sent && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(sent) }), ...headers };
  const request = require('node:http').request({ host: '127.0.0.1', port: 8080, method, path, headers: all }, (answer) => {
    let body = '';
    answer.setEncoding('utf8').on('data', (part) => { body += part; }).on('end', () => {
      process.stdout.write(JSON.stringify({ status: answer.statusCode, headers: answer.headers, body }));
    });
  });
  request.end(sent);
});`;
