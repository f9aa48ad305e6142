import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ProgramOptions, runProgram } from '../cli/program.js';
import type { Terminal } from '../cli/screen.js';

/** What one command line left behind. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Surroundings {
  readonly environment: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly now?: () => number;
  readonly terminal?: Terminal;
  /** Ends a command that follows something. */
  readonly stop?: AbortSignal;
  /** Called with everything that was written to stdout so far. */
  readonly watch?: (out: string) => void;
}

/** Runs `warren` in this process, as `main.ts` does, with everything but the control plane given. */
export async function runCommandLine(argv: readonly string[], surroundings: Surroundings): Promise<Said> {
  const { environment, input = '', now = Date.now, terminal, stop, watch } = surroundings;
  const said = { out: '', err: '' };
  const options: ProgramOptions = {
    environment,
    output: {
      out: (text) => {
        said.out += text;
        watch?.(said.out);
      },
      err: (text) => {
        said.err += text;
      },
      ...(terminal ? { terminal } : {}),
    },
    readInput: async () => input,
    now,
    ...(stop ? { stop } : {}),
    serve: async () => 0,
    signal: async () => 0,
  };
  const code = await runProgram(argv, options);
  return { code, ...said };
}

export interface Recorder {
  readonly url: string;
  readonly asked: ReadonlySet<string>;
  /** Cuts every connection that is open. */
  breakAll(): void;
  close(): Promise<void>;
}

/** Stands before a control plane and notes what it is asked: `GET /api/v1/nodes/47…`, without the query. */
export async function startRecorder(url: string): Promise<Recorder> {
  const asked = new Set<string>();
  const server = createServer((request, response) => {
    asked.add(`${request.method} ${request.url!.split('?')[0]}`);
    const { method, headers } = request;
    const passed = httpRequest(url + request.url, { method, headers } as object, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    request.pipe(passed);
    response.on('close', () => passed.destroy());
    passed.on('error', () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    breakAll: () => server.closeAllConnections(),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
