/**
 * Stores the session on the device: in this tab, or until sign-out if the user chose to stay signed
 * in. If the browser forbids storage, the user must only sign in again after a reload.
 */
import { parseSession, type Session as SignedIn } from '@maru/client/http';
import { accountSession, isOfAccount } from '../account/account-session.ts';
import type { Session } from './session.ts';

export type { Session };

const SESSION_KEY = 'maru.session';
/** A marker for other tabs: the user signed out deliberately. */
const SIGNED_OUT = 'signed-out';

const quietly = <T>(act: () => T): T | null => {
  try {
    return act();
  } catch {
    return null;
  }
};

/** Storage that survives the tab. Null if the browser forbids it. */
export const deviceStorage = (): Storage | null => quietly(() => localStorage);
const tabStorage = (): Storage | null => quietly(() => sessionStorage);
const storageOf = ({ stays }: Session): Storage | null => (stays ? deviceStorage() : tabStorage());

const read = (storage: Storage | null): SignedIn | null =>
  quietly(() => parseSession(JSON.parse(storage?.getItem(SESSION_KEY) ?? 'null')));

export function loadSession(): Session | null {
  const ofTab = read(tabStorage());
  if (ofTab !== null) return opened(ofTab, false);
  const ofDevice = read(deviceStorage());
  return ofDevice === null ? null : opened(ofDevice, true);
}

const opened = (kept: SignedIn, stays: boolean): Session =>
  isOfAccount(kept) ? accountSession(kept, stays, saveSession) : { ...kept, stays };

export function saveSession({ token, user, stays, isKept }: Session): void {
  if (isKept === false) return;
  quietly(() => storageOf({ token, user, stays })?.setItem(SESSION_KEY, JSON.stringify({ token, user })));
}

/** Removes the session after it has ended. Unsent messages stay for the user's next sign-in. */
export const forgetSession = (session: Session): void =>
  void quietly(() => storageOf(session)?.removeItem(SESSION_KEY));

/** Signs the user out on this device. Other tabs with the session follow. */
export function endSession(session: Session): void {
  if (session.stays) quietly(() => deviceStorage()?.setItem(SESSION_KEY, SIGNED_OUT));
  forgetSession(session);
}

/** Calls `task` when the user signs out in another tab. Returns a function that stops watching. */
export function watchSignOut(task: () => void): () => void {
  const onStorage = ({ key, newValue }: StorageEvent) => {
    if (key === SESSION_KEY && newValue === SIGNED_OUT) task();
  };
  addEventListener('storage', onStorage);
  return () => removeEventListener('storage', onStorage);
}
