/**
 * The appearance on this device: colours and density. Style sheets read both from attributes of the
 * root element.
 */
import type { Preferences } from '../settings/preferences.ts';

export const DARK_SYSTEM = '(prefers-color-scheme: dark)';

export function applyAppearance({ theme, density }: Pick<Preferences, 'theme' | 'density'>): void {
  const { dataset } = document.documentElement;
  if (theme === 'system') delete dataset.theme;
  else dataset.theme = theme;
  if (density === 'comfortable') delete dataset.density;
  else dataset.density = density;
}
