import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'warren.theme';
const dark = window.matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

function stored(): Theme {
  const value = localStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : 'system';
}

/** Whether the page is dark now. */
export const isDark = (): boolean => (stored() === 'system' ? dark.matches : stored() === 'dark');

/** Sets what the styles go by; again whenever the system's wish changes. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
  for (const listener of listeners) listener();
}
dark.addEventListener('change', applyTheme);

export function chooseTheme(theme: Theme): void {
  if (theme === 'system') localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, theme);
  applyTheme();
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

/** What was chosen. */
export const useTheme = (): Theme => useSyncExternalStore(subscribe, stored);
/** What is shown: canvases read their colours anew when it changes. */
export const useDark = (): boolean => useSyncExternalStore(subscribe, isDark);
