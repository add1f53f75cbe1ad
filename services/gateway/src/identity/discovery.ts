/** Finds the key set of an OpenID provider (OpenID Connect Discovery 1.0). */
import { isSafe } from './oidc-settings.ts';

export interface DiscoveryOptions {
  issuer: string;
  timeoutMs: number;
}

/** Rejects if the provider does not answer, or answers for another issuer. */
export async function discoverKeys({ issuer, timeoutMs }: DiscoveryOptions): Promise<URL> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200) throw new Error(`the discovery document was answered with status ${response.status}`);
  const { issuer: named, jwks_uri: uri } = (await response.json()) as Record<string, unknown>;
  if (named !== issuer) throw new Error('the discovery document names another issuer');
  if (typeof uri !== 'string' || !URL.canParse(uri) || !isSafe(new URL(uri)))
    throw new Error('the discovery document has no safe jwks_uri');
  return new URL(uri);
}
