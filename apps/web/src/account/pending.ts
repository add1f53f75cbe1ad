/**
 * What the page must know when it comes back from the provider. It is kept for the redirect only,
 * in this tab: taking it removes it, so that an answer is used once. Tokens are never kept.
 */

export interface Pending {
  state: string;
  nonce: string;
  /** Of PKCE: proves that this page asked. */
  verifier: string;
  /** The path to come back to. */
  path: string;
  /** A room that the user entered by its name. */
  typedRoom: string | null;
  /** Without asking the user anything. */
  isSilent: boolean;
}

const KEY = 'maru.provider.pending';

export const keepPending = (storage: Storage, pending: Pending): void => storage.setItem(KEY, JSON.stringify(pending));

export function takePending(storage: Storage): Pending | null {
  try {
    const text = storage.getItem(KEY);
    storage.removeItem(KEY);
    const value = JSON.parse(text ?? 'null') as Partial<Pending> | null;
    if (value === null || typeof value !== 'object') return null;
    const { state, nonce, verifier, path } = value;
    const texts = [state, nonce, verifier, path];
    // Only a place of this page, never another site.
    if (!texts.every((one) => typeof one === 'string') || !/^\/(?!\/)/.test(path ?? '')) return null;
    return { ...(value as Pending), typedRoom: value.typedRoom ?? null, isSilent: value.isSilent === true };
  } catch {
    return null;
  }
}
