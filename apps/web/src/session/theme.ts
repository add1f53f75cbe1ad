/** The theme: the system's, until the reader chooses one. */
import { loadPreference, savePreference } from './device.ts';

export type Theme = 'light' | 'dark';

export const systemTheme = (): Theme => (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');

/** The reader's choice; null to follow the system. */
export function chosenTheme(): Theme | null {
  const remembered = loadPreference('theme');
  return remembered === 'light' || remembered === 'dark' ? remembered : null;
}

export function applyTheme(theme: Theme | null): void {
  if (theme === null) delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

export function chooseTheme(theme: Theme): void {
  savePreference('theme', theme);
  applyTheme(theme);
}
