/** The preferences, for components. */
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { useWatched } from '../hooks.ts';
import type { PreferenceStore, Preferences } from './preferences.ts';

export const PreferencesContext = createContext<PreferenceStore | null>(null);

export function usePreferenceStore(): PreferenceStore {
  const store = useContext(PreferencesContext);
  if (store === null) throw new Error('the page has no preferences');
  return store;
}

export const usePreferences = (): Preferences => useWatched(usePreferenceStore());
