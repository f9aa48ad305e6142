import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHROMIUM_FLAGS, chromiumProgram, type Host } from '@warren/netlab';
import { type Browser, chromium } from 'playwright-core';

/** A Chromium on a host of the lab: loopback is that host's, and so is all else that it can reach. */
export async function launchChromium(host: Host): Promise<Browser> {
  const program = chromiumProgram();
  if (program === undefined) throw new Error('chromium is not installed');
  const inHost = join(host.dir, 'chromium');
  const enter = `setpriv --pdeathsig TERM -- nsenter --net=/run/netns/${host.namespaceName} --`;
  writeFileSync(inHost, `#!/bin/sh\nexec ${enter} '${program}' "$@"\n`);
  chmodSync(inHost, 0o755);
  return chromium.launch({ executablePath: inHost, args: CHROMIUM_FLAGS });
}
