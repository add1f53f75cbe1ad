/**
 * Stores the session on the device: in this tab, or until sign-out if the user chose to stay signed
 * in. If the browser forbids storage, the user must only sign in again after a reload.
 */
import { parseSession, type Session as SignedIn } from '@maru/client/http';
import { accountSession, isOfAccount } from '../account/account-session.ts';
import type { Session } from './session.ts';

export type { Session };

const SESSION_KEY = 'maru.session';
/** Tells other tabs which user signed out on purpose. */
const SIGNED_OUT_KEY = 'maru.signed-out';

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
  isOfAccount(kept) ? accountSession(kept, stays, keepRenewed) : { ...kept, stays };

export function saveSession({ token, user, stays, isKept }: Session): void {
  if (isKept === false) return;
  quietly(() => storageOf({ token, user, stays })?.setItem(SESSION_KEY, JSON.stringify({ token, user })));
}

/**
 * Keeps the new token of a session. A session that ended in another tab does not come back, and
 * that of another user stays.
 */
export function keepRenewed(session: Session): void {
  if (isStored(session)) saveSession(session);
}

const isStored = (session: Session): boolean => read(storageOf(session))?.user.id === session.user.id;

/**
 * The session has ended. What is not sent yet stays for the next sign-in of the user. The session
 * that another user began on the device since stays, too.
 */
export function forgetSession(session: Session): void {
  if (isStored(session)) quietly(() => storageOf(session)?.removeItem(SESSION_KEY));
}

/** The user leaves this device: other tabs of the user follow. */
export function endSession(session: Session): void {
  // First: a full device has room for the mark then.
  forgetSession(session);
  if (!session.stays) return;
  quietly(() => deviceStorage()?.setItem(SIGNED_OUT_KEY, session.user.id));
  quietly(() => deviceStorage()?.removeItem(SIGNED_OUT_KEY));
}

/** Calls `task` when the user signs out in another tab. Returns a function that stops it. */
export function watchSignOut({ user }: Session, task: () => void): () => void {
  const onStorage = ({ key, newValue }: StorageEvent) => {
    if (key === SIGNED_OUT_KEY && newValue === user.id) task();
  };
  addEventListener('storage', onStorage);
  return () => removeEventListener('storage', onStorage);
}
