import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** REST for whoever may open a file of mode 0600 in a directory of mode 0700. */
export async function listenLocally(
  path: string,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ close(): Promise<void> }> {
  // The data dir is ours alone (lockDataDir), so what lies there is what a killed process left.
  await rm(path, { force: true });
  const server = createServer(handle);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  await chmod(path, 0o600);
  return {
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await rm(path, { force: true });
    },
  };
}
