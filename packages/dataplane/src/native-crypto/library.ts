import koffi from 'koffi';

/** Types of C as the FFI names them. Pointers are plain numbers: the cheapest way through. */
export const SIZE = 'size_t';
export const INT = 'int';
export const VOID = 'void';

/** Finds a function of a library. @throws Error when there is none of that name. */
export type Bind = <T>(name: string, result: string, parameters: readonly string[]) => T;

/** `undefined`: this process itself, whose `node` exports the OpenSSL that it was built with. @throws Error when it cannot be loaded. */
export function bindLibrary(file?: string): Bind {
  const library = koffi.load(file ?? null);
  return <T>(name: string, result: string, parameters: readonly string[]) =>
    library.func(name, result, [...parameters]) as unknown as T;
}
