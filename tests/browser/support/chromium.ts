import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '@warren/netlab';
import { type Browser, chromium } from 'playwright-core';
import { chromiumProgram } from '../../support/chromium-program.js';

/** Nothing is asked of anybody but the page: no updates, no experiments, no name that leaves the machine. An emulated GPU would be slower than none. */
const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-default-apps',
  '--disable-domain-reliability',
  '--disable-features=OptimizationHints,MediaRouter,Translate',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

/** A Chromium on a host of the lab: loopback is that host's, and so is all else that it can reach. */
export async function launchChromium(host: Host): Promise<Browser> {
  const program = chromiumProgram();
  if (program === undefined) throw new Error('chromium is not installed');
  const inHost = join(host.dir, 'chromium');
  const enter = `setpriv --pdeathsig TERM -- nsenter --net=/run/netns/${host.namespaceName} --`;
  writeFileSync(inHost, `#!/bin/sh\nexec ${enter} '${program}' "$@"\n`);
  chmodSync(inHost, 0o755);
  return chromium.launch({ executablePath: inHost, args: FLAGS });
}
