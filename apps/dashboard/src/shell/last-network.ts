const KEY = 'warren.network';

/** The network that was looked at last on this browser. */
export const lastNetwork = {
  get: (): string | undefined => localStorage.getItem(KEY) ?? undefined,
  set: (name: string): void => localStorage.setItem(KEY, name),
};
