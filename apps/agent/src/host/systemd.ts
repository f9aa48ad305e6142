import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { WarrenError } from '@warren/base';
import { isMissing } from '../errors.js';
import type { RunProgram } from './program.js';

export const UNIT_NAME = 'warren-agent.service';
const UNIT_PATH = `/etc/systemd/system/${UNIT_NAME}`;
const MARK = '# Written by `agent join`';

/** Whether systemd runs this host (sd_booted(3)). */
export async function hasSystemd(): Promise<boolean> {
  try {
    await access('/run/systemd/system');
    return true;
  } catch {
    return false; // whatever the reason: we cannot use it
  }
}

/** The unit: starts from saved state, comes back after failures, not after a refusal. */
export function renderUnit(node: string, program: string, stateDir: string): string {
  const command = [node, program, 'up', '--foreground', '--state-dir', stateDir].map(quote).join(' ');
  return `${MARK}; \`agent leave\` removes it.
[Unit]
Description=Warren agent
Documentation=man:wg(8)
After=network.target nss-lookup.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${command}
Restart=on-failure
RestartSec=2
# Refused by the control plane, wrong usage, wrong control plane: trying again changes nothing.
RestartPreventExitStatus=2 3 5
KillMode=mixed
TimeoutStopSec=20
UMask=0077

[Install]
WantedBy=multi-user.target
`;
}

/** Writes, enables and starts the unit. @throws WarrenError `service-failed`. */
export async function installService(run: RunProgram, unit: string): Promise<void> {
  await writeFile(UNIT_PATH, unit, { mode: 0o644 });
  await systemctl(run, 'daemon-reload');
  await systemctl(run, 'enable', '--now', UNIT_NAME);
}

/** Whether the unit on this host is ours and serves this state directory. */
export async function isServiceInstalled(stateDir: string): Promise<boolean> {
  try {
    const unit = await readFile(UNIT_PATH, 'utf8');
    return unit.startsWith(MARK) && unit.includes(quote(stateDir));
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Stops, disables and removes the unit. */
export async function removeService(run: RunProgram): Promise<void> {
  await systemctl(run, 'disable', '--now', UNIT_NAME);
  await rm(UNIT_PATH, { force: true });
  await systemctl(run, 'daemon-reload');
}

async function systemctl(run: RunProgram, ...args: string[]): Promise<void> {
  const { code, stderr } = await run('systemctl', args);
  if (code === 0) return;
  throw new WarrenError(
    'service-failed',
    `systemctl ${args.join(' ')} failed: ${stderr || `exit code ${code}`}; see journalctl -u ${UNIT_NAME}`,
  );
}

/** systemd.service(5), command lines: double quotes; `\`, `"`, `$` and `%` are special. */
const quote = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&').replace(/[$%]/g, '$&$&')}"`;
