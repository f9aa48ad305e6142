import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromiumProgram, labObstacle } from '@warren/netlab';
import { describe } from 'vitest';

/**
 * `describe` for tests that need namespaces and the given programs. Where they cannot run, the group is skipped and
 * says why; with `CI=true` it fails instead, so that a pipeline never loses it unnoticed.
 */
export function describeLab(name: string, programs: readonly string[], body: () => void): void {
  describeUnless(labObstacle() ?? missingProgram(programs) ?? missingTun(), name, body);
}

/** `describeLab` for tests that look at the page, too. */
export function describeBrowser(name: string, programs: readonly string[], body: () => void): void {
  const noChromium = chromiumProgram() === undefined ? 'chromium is not installed' : undefined;
  describeUnless(labObstacle() ?? noChromium ?? missingProgram(programs) ?? missingTun(), name, body);
}

function describeUnless(obstacle: string | undefined, name: string, body: () => void): void {
  if (obstacle === undefined) {
    describe(name, body);
    return;
  }
  if (process.env.CI === 'true') throw new Error(`${name} cannot run: ${obstacle}`);
  console.warn(`skipped: ${name}: ${obstacle}`);
  describe.skip(name, body);
}

function missingProgram(programs: readonly string[]): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  const missing = programs.find((program) => !folders.some((folder) => can(join(folder, program), constants.X_OK)));
  return missing === undefined ? undefined : `${missing} is not installed`;
}

const missingTun = (): string | undefined =>
  can('/dev/net/tun', constants.R_OK | constants.W_OK) ? undefined : '/dev/net/tun is missing';

function can(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
