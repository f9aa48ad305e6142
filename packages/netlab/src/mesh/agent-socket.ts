import { createConnection } from 'node:net';
import { WarrenError } from '@warren/base';

/** How long an agent may take for an answer on its socket. */
const ANSWER_MS = 10_000;

/**
 * Asks a running agent on `<state-dir>/agent.sock`, as its commands do. Watching many agents by starting a program for each
 * look would cost more than what is watched.
 * @throws WarrenError `agent-silent`, or the agent's own code and words.
 */
export async function askAgent<T>(stateDir: string, request: Readonly<Record<string, unknown>>): Promise<T> {
  const line = await exchange(`${stateDir}/agent.sock`, `${JSON.stringify(request)}\n`);
  if (line === '')
    throw new WarrenError('agent-silent', `the agent of ${stateDir} closed its socket without an answer`);
  const reply = JSON.parse(line) as { ok: T } | { error: { code: string; message: string } };
  if ('ok' in reply) return reply.ok;
  throw new WarrenError(reply.error.code, reply.error.message);
}

function exchange(path: string, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = createConnection(path, () => socket.write(request));
    const silent = new WarrenError('agent-silent', `${path} gave no answer within ${ANSWER_MS} ms`);
    socket.setTimeout(ANSWER_MS, () => socket.destroy(silent));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(text));
  });
}
