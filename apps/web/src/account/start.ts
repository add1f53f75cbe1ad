/**
 * How the page begins: with the answer of a provider, silently at a provider, or at its sign-in.
 */
import { isProviderRemembered } from './marker.ts';
import type { Start } from './started.ts';

export type { Start, StartProblem } from './started.ts';

const loadProvider = () => import('./provider-session.ts');

/** Null if there is nothing to wait for. `hasSession`: another session is on the device. */
export function start(url: URL, hasSession: boolean): Promise<Start> | null {
  const { searchParams, pathname } = url;
  // OAuth's answers carry the state, and a code or an error.
  if (pathname === '/' && searchParams.has('state') && (searchParams.has('code') || searchParams.has('error')))
    return loadProvider().then(({ comeBack }) => comeBack(url));
  if (hasSession || !isProviderRemembered()) return null;
  return loadProvider().then(({ goSilently }) => goSilently(pathname + url.hash));
}
