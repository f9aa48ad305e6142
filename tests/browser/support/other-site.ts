import type { Host } from '@warren/netlab';

/** A page of somebody else on the same machine: another site as `localhost`, the same site but another origin as `127.0.0.1`. */
export async function serveOtherSite(host: Host): Promise<void> {
  await host.spawn(process.execPath, ['-e', PROGRAM]).waitForOutput(/serving/, 10_000);
}

export const OTHER_PORT = 9090;

const PROGRAM = `
require('node:http').createServer((request, answer) => {
  answer.setHeader('content-type', 'text/html').end('<!doctype html><title>Other</title><link rel="icon" href="data:,">');
}).listen(${OTHER_PORT}, () => console.log('serving'));`;
