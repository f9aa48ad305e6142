import { spawn } from 'node:child_process';
import { WarrenError } from '@warren/base';

interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of the host, without a shell. */
export type RunProgram = (name: string, args: readonly string[], input?: string) => Promise<ProgramResult>;

/** Debian package that brings a program, for messages. */
const PACKAGES: Readonly<Record<string, string>> = { ip: 'iproute2', nft: 'nftables', ping: 'iputils-ping' };

/** @throws WarrenError `program-missing` when the host has no such program. */
export const runProgram: RunProgram = (name, args, input) =>
  new Promise((resolve, reject) => {
    const child = spawn(name, args, { stdio: ['pipe', 'pipe', 'pipe'], env: programEnvironment() });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', (error) => reject(programMissing(name, error)));
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr: stderr.trim() }));
    // A program that exits before it read its input breaks the pipe; its exit code then says what was wrong.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });

/** The error for a program that could not be started. */
export function programMissing(name: string, cause: unknown): WarrenError {
  const hint = PACKAGES[name] ? `install it (package ${PACKAGES[name]})` : 'install it';
  return new WarrenError('program-missing', `the program \`${name}\` is not on this host: ${hint}`, { cause });
}

/** Programs speak English to us, and are found also where a service manager gives a short PATH. */
export function programEnvironment(): NodeJS.ProcessEnv {
  const path = process.env.PATH;
  const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  return { ...process.env, LC_ALL: 'C', PATH: [path, ...folders].filter(Boolean).join(':') };
}
