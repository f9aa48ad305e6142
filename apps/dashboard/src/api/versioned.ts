import { take } from './client.js';

/** Something that was read, and the tag by which a change of it says which state it means (`If-Match`). */
export interface Versioned<T> {
  readonly value: T;
  readonly etag: string;
}

/** @throws WarrenProblem as `take` does. */
export async function takeVersioned<T>(
  answer: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<Versioned<T>> {
  const settled = await answer;
  return { value: (await take(Promise.resolve(settled))) as T, etag: settled.response.headers.get('etag') ?? '*' };
}
