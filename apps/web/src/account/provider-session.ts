/** A session at an OpenID provider: how to sign in, sign out, and renew tokens. */
import { readAuthConfig, readMe } from '@maru/client/http';
import { AuthorizationResponseError } from 'oauth4webapi';
import type { Session } from '../session/session.ts';
import { endEverywhere } from './end.ts';
import { forgetProvider, rememberProvider } from './marker.ts';
import { keepPending, takePending } from './pending.ts';
import {
  beginAt,
  endAddressOf,
  findProvider,
  finishAt,
  type Provider,
  type ProviderConfig,
  type ProviderTokens,
  refreshAt,
} from './provider.ts';
import type { Start, StartProblem } from './started.ts';

/** Never resolves: the browser is leaving the page. */
const never = () => new Promise<never>(() => {});

async function go(provider: Provider, place: { path: string; typedRoom: string | null; isSilent: boolean }) {
  const { address, pending } = await beginAt(provider, { ...place, origin: location.origin });
  keepPending(sessionStorage, pending);
  if (place.isSilent) location.replace(address);
  else location.assign(address);
  return never();
}

/**
 * Leaves the page for the provider, which sends the user back to `path`. Rejects if the provider
 * does not answer.
 */
export const goToProvider = async (
  config: ProviderConfig,
  place: { path: string; typedRoom: string | null },
): Promise<never> => go(await findProvider(config), { ...place, isSilent: false });

async function configOf(): Promise<ProviderConfig> {
  const config = await readAuthConfig({});
  if (!config.ok) throw new Error(config.error.message);
  if (config.data.oidc === null) throw new Error('there is no provider any more');
  return config.data.oidc;
}

/** After a reload, asks the provider who the user is, without user interaction. */
export async function goSilently(path: string): Promise<Start> {
  try {
    return await go(await findProvider(await configOf()), { path, typedRoom: null, isSilent: true });
  } catch (error) {
    console.warn('the sign-in was not continued', error);
    return { session: null, typedRoom: null, path, problem: 'failed' };
  }
}

/** Finishes the sign-in when the page comes back from the provider. */
export async function comeBack(url: URL): Promise<Start> {
  const pending = takePending(sessionStorage);
  // Refuse an answer that this page did not request, or that was already used.
  if (pending === null) return { session: null, typedRoom: null, path: '/', problem: 'failed' };
  const { path, typedRoom, isSilent } = pending;
  try {
    const provider = await findProvider(await configOf());
    const session = await openSession(provider, await finishAt(provider, url, pending));
    if (typeof session === 'string') return { session: null, typedRoom: null, path, problem: session };
    rememberProvider();
    return { session, typedRoom, path, problem: null };
  } catch (error) {
    const isRefusal = error instanceof AuthorizationResponseError;
    if (isRefusal) forgetProvider();
    else console.warn('the sign-in at the provider failed', error);
    const problem = isRefusal ? (isSilent ? null : 'refused') : 'failed';
    return { session: null, typedRoom: null, path, problem };
  }
}

async function openSession(provider: Provider, first: ProviderTokens): Promise<Session | StartProblem> {
  let tokens = first;
  const me = await readMe({ token: first.current });
  if (!me.ok) return me.error.code === 'unauthenticated' ? 'forbidden' : 'failed';
  const renew = async () => {
    const next = await refreshAt(provider, tokens);
    if (next !== null) tokens = next;
    return next?.current ?? null;
  };
  return {
    user: me.data,
    stays: false,
    isKept: false,
    get token() {
      return tokens.current;
    },
    renew,
    end: () => endEverywhere(tokens.current, renew),
    leave() {
      forgetProvider();
      const address = endAddressOf(provider, tokens, location.origin);
      if (address !== null) location.assign(address);
    },
  };
}
