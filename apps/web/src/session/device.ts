/**
 * What is stored on the device: the session, in this tab only, and two preferences. Nothing of a
 * conversation. If the browser forbids storage, the reader only has to sign in again.
 */
import { parseSession, type Session } from './api.ts';

const SESSION_KEY = 'maru.session';

export type Preference = 'language' | 'theme';

const quietly = <T>(act: () => T): T | null => {
  try {
    return act();
  } catch {
    return null;
  }
};

export const loadSession = (): Session | null =>
  quietly(() => parseSession(JSON.parse(sessionStorage.getItem(SESSION_KEY) ?? 'null')));

export const saveSession = (session: Session): void =>
  void quietly(() => sessionStorage.setItem(SESSION_KEY, JSON.stringify(session)));

export const forgetSession = (): void => void quietly(() => sessionStorage.removeItem(SESSION_KEY));

export const loadPreference = (name: Preference): string | null => quietly(() => localStorage.getItem(`maru.${name}`));

export const savePreference = (name: Preference, value: string): void =>
  void quietly(() => localStorage.setItem(`maru.${name}`, value));
