import { SiteMesh, type SiteMeshOptions } from '@warren/netlab';
import { afterAll, beforeAll, onTestFailed } from 'vitest';

/** No guesses at ports: what plain punching does is what is asserted. No mappings: nobody answers for them here. */
export const PLAIN_PUNCHING = { WARREN_PORT_PREDICTION: 'off', WARREN_PORT_MAPPING: 'off' } as const;

/**
 * A control plane and what `populate` adds, running, for all tests of the surrounding group. Its value is there from the first
 * test on; a test that fails shows what the programs have printed.
 */
export function useSiteMesh<T>(
  options: SiteMeshOptions,
  populate: (mesh: SiteMesh) => Promise<T>,
  startMs = 240_000,
): () => T & { readonly mesh: SiteMesh } {
  let mesh: SiteMesh | undefined;
  let parts: T | undefined;
  beforeAll(async () => {
    mesh = await SiteMesh.start({ agentEnv: PLAIN_PUNCHING, ...options });
    try {
      parts = await populate(mesh);
    } catch (error) {
      console.error(mesh.lastWords());
      throw error;
    }
  }, startMs);
  afterAll(() => mesh?.close(), 60_000);
  return () => {
    const running = mesh;
    if (!running || parts === undefined) throw new Error('the mesh is there in tests only');
    onTestFailed(() => console.error(running.lastWords()));
    return { ...parts, mesh: running };
  };
}
