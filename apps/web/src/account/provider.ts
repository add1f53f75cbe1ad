/**
 * Signs in at an OpenID provider: Authorization Code with PKCE (RFC 9700). This module loads on
 * demand. Tokens are kept in memory only. After a reload, the page asks the provider again,
 * silently.
 */
import type { AuthConfig } from '@maru/protocol/events';
import {
  type AuthorizationServer,
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  type Client,
  calculatePKCECodeChallenge,
  discoveryRequest,
  generateRandomCodeVerifier,
  generateRandomNonce,
  generateRandomState,
  None,
  processAuthorizationCodeResponse,
  processDiscoveryResponse,
  processRefreshTokenResponse,
  ResponseBodyError,
  refreshTokenGrantRequest,
  type TokenEndpointResponse,
  validateAuthResponse,
} from 'oauth4webapi';
import type { Pending } from './pending.ts';

export type ProviderConfig = NonNullable<AuthConfig['oidc']>;

/** A captive portal may never answer. */
const TIMEOUT_MS = 10_000;

/** The origin of the page with a slash. It is registered at the provider as the redirect URI. */
const redirectUri = (origin: string): string => `${origin}/`;

export interface Provider {
  config: ProviderConfig;
  server: AuthorizationServer;
  client: Client;
}

/** A provider on the same machine, for development, has no TLS. */
const optionsOf = ({ issuer }: ProviderConfig) => ({
  signal: () => AbortSignal.timeout(TIMEOUT_MS),
  [allowInsecureRequests]: new URL(issuer).protocol === 'http:',
});

/** Rejects if the provider does not answer, or answers for another issuer. */
export async function findProvider(config: ProviderConfig): Promise<Provider> {
  const issuer = new URL(config.issuer);
  const response = await discoveryRequest(issuer, { algorithm: 'oidc', ...optionsOf(config) });
  return { config, server: await processDiscoveryResponse(issuer, response), client: { client_id: config.clientId } };
}

export interface Beginning extends Pick<Pending, 'path' | 'typedRoom' | 'isSilent'> {
  origin: string;
}

/** The address to go to, and what to store until the page comes back. */
export async function beginAt(
  { config, server }: Provider,
  { origin, ...place }: Beginning,
): Promise<{ address: string; pending: Pending }> {
  if (server.authorization_endpoint === undefined) throw new Error('the provider has no authorization endpoint');
  const verifier = generateRandomCodeVerifier();
  const pending = { ...place, state: generateRandomState(), nonce: generateRandomNonce(), verifier };
  const address = new URL(server.authorization_endpoint);
  const parameters = {
    client_id: config.clientId,
    redirect_uri: redirectUri(origin),
    response_type: 'code',
    scope: config.scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(place.isSilent ? { prompt: 'none' } : {}),
  };
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  return { address: address.href, pending };
}

/** `current`: the token that gateways accept. */
export interface ProviderTokens {
  current: string;
  refresh: string | undefined;
  /** Passed to the provider at sign-out, to identify the session. */
  idToken: string | undefined;
}

/** Rejects if the answer does not match the stored request, or if the provider refuses. */
export async function finishAt(provider: Provider, url: URL, pending: Pending): Promise<ProviderTokens> {
  const { config, server, client } = provider;
  const parameters = validateAuthResponse(server, client, url, pending.state);
  const response = await authorizationCodeGrantRequest(
    ...([server, client, None(), parameters, redirectUri(url.origin), pending.verifier] as const),
    optionsOf(config),
  );
  const answer = await processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: pending.nonce,
    requireIdToken: true,
  });
  return tokensOf(config, answer, undefined);
}

/** Null if the provider has ended the session. Rejects if the provider does not answer. */
export async function refreshAt(provider: Provider, tokens: ProviderTokens): Promise<ProviderTokens | null> {
  const { config, server, client } = provider;
  if (tokens.refresh === undefined) return null;
  try {
    const response = await refreshTokenGrantRequest(server, client, None(), tokens.refresh, optionsOf(config));
    const answer = await processRefreshTokenResponse(server, client, response);
    // A provider may return no new ID token. Then this session cannot be renewed.
    if (config.token === 'id' && answer.id_token === undefined) return null;
    return tokensOf(config, answer, tokens);
  } catch (error) {
    if (error instanceof ResponseBodyError && error.error === 'invalid_grant') return null;
    throw error;
  }
}

/** The address where the user signs out of the provider. Null if the provider has none. */
export function endAddressOf({ config, server }: Provider, { idToken }: ProviderTokens, origin: string): string | null {
  if (server.end_session_endpoint === undefined) return null;
  const address = new URL(server.end_session_endpoint);
  address.searchParams.set('client_id', config.clientId);
  address.searchParams.set('post_logout_redirect_uri', redirectUri(origin));
  if (idToken !== undefined) address.searchParams.set('id_token_hint', idToken);
  return address.href;
}

/** A provider may omit values that have not changed. */
function tokensOf(
  { token }: ProviderConfig,
  answer: TokenEndpointResponse,
  before: ProviderTokens | undefined,
): ProviderTokens {
  const idToken = answer.id_token ?? before?.idToken;
  const current = token === 'id' ? idToken : answer.access_token;
  if (current === undefined) throw new Error('the provider gave no ID token');
  return { current, refresh: answer.refresh_token ?? before?.refresh, idToken };
}
