/**
 * What the page must know when it comes back from the provider. It is stored in this tab, for the
 * redirect only. Reading it removes it, so an answer can be used only once. Tokens are never
 * stored.
 */

export interface Pending {
  state: string;
  nonce: string;
  /** The PKCE code verifier. It proves that this page made the request. */
  verifier: string;
  /** The path to return to after the sign-in. */
  path: string;
  /** A room whose name the user typed. */
  typedRoom: string | null;
  /** The provider is asked without showing anything to the user. */
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
    // Accept only a path of this page, never another site.
    if (!texts.every((one) => typeof one === 'string') || !/^\/(?!\/)/.test(path ?? '')) return null;
    return { ...(value as Pending), typedRoom: value.typedRoom ?? null, isSilent: value.isSilent === true };
  } catch {
    return null;
  }
}
