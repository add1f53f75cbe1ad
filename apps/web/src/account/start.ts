/**
 * How the page starts: with an answer from a provider, by asking a provider silently, or at the
 * sign-in page.
 */
import { isProviderRemembered } from './marker.ts';
import type { Start } from './started.ts';

export type { Start, StartProblem } from './started.ts';

const loadProvider = () => import('./provider-session.ts');

/** Null if there is nothing to wait for. `hasSession`: the device already has another session. */
export function start(url: URL, hasSession: boolean): Promise<Start> | null {
  const { searchParams, pathname } = url;
  // An OAuth answer has `state`, and either `code` or `error`.
  if (pathname === '/' && searchParams.has('state') && (searchParams.has('code') || searchParams.has('error')))
    return loadProvider().then(({ comeBack }) => comeBack(url));
  if (hasSession || !isProviderRemembered()) return null;
  return loadProvider().then(({ goSilently }) => goSilently(pathname + url.hash));
}
