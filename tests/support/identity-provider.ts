/**
 * A real OpenID provider for one test (npm's oidc-provider), on a free port of this machine. Its
 * pages ask for any name and password: the name is the user id.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { findFreePort } from '@maru/service-kit/testing';
import { type JWTPayload, SignJWT } from 'jose';
import Provider from 'oidc-provider';

export const CLIENT_ID = 'maru-web';
export const AUDIENCE = 'maru-chat';

export interface ProviderKey {
  kid: string;
  privateKey: KeyObject;
}

export interface IdentityProvider {
  issuer: string;
  key: ProviderKey;
  /** A token of this provider, without its pages. */
  sign(claims: JWTPayload, header?: Record<string, unknown>, key?: ProviderKey): Promise<string>;
  /** Calls of each endpoint of tokens. */
  granted: string[];
  stop(): Promise<void>;
  /** Starts again at the same address, if wanted with another key. */
  start(key?: ProviderKey): Promise<void>;
}

export interface ProviderOptions {
  /** Where the web client is. */
  origin?: string;
  port?: number;
  accessTokenS?: number;
  groupsOf?: (user: string) => string[];
}

export const newKey = (kid: string): ProviderKey => ({
  kid,
  privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
});

export async function startProvider(options: ProviderOptions = {}): Promise<IdentityProvider> {
  const port = options.port ?? (await findFreePort());
  const issuer = `http://127.0.0.1:${port}`;
  const granted: string[] = [];
  let key = newKey('first');
  let server: Server | undefined;
  const stop = async () => {
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
    server = undefined;
  };
  const start = async (next = key) => {
    key = next;
    const provider = new Provider(issuer, configurationOf(options, key));
    provider.on('grant.success', (context) =>
      granted.push(String((context as { oidc?: { params?: { grant_type?: string } } }).oidc?.params?.grant_type)),
    );
    server = provider.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await start();
  return {
    issuer,
    granted,
    get key() {
      return key;
    },
    sign: (claims, header = {}, by = key) =>
      new SignJWT({ iss: issuer, aud: AUDIENCE, azp: CLIENT_ID, ...claims })
        .setProtectedHeader({ alg: 'RS256', kid: by.kid, ...header })
        .setIssuedAt()
        .setExpirationTime(claims.exp ?? '10m')
        .sign(by.privateKey),
    stop,
    start,
  };
}

function configurationOf(
  { origin = 'http://localhost', accessTokenS = 600, groupsOf = () => [] }: ProviderOptions,
  key: ProviderKey,
) {
  const claimsOf = (user: string) => ({ name: `${user} of the company`, realm: { groups: groupsOf(user) } });
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        redirect_uris: [`${origin}/`],
        post_logout_redirect_uris: [`${origin}/`],
      },
    ],
    jwks: { keys: [{ ...key.privateKey.export({ format: 'jwk' }), kid: key.kid, alg: 'RS256', use: 'sig' }] },
    cookies: { keys: ['a key for tests only'] },
    claims: { openid: ['sub'], profile: ['name', 'realm'] },
    conformIdTokenClaims: false,
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, ...claimsOf(id) }),
    }),
    extraTokenClaims: (_context: unknown, token: { accountId?: string }) => claimsOf(token.accountId ?? ''),
    clientBasedCORS: (_context: unknown, asking: string) => asking === origin,
    issueRefreshToken: () => true,
    ttl: {
      AccessToken: accessTokenS,
      IdToken: accessTokenS,
      Interaction: 600,
      Grant: 3_600,
      Session: 3_600,
      RefreshToken: 3_600,
    },
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'https://chat.example',
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'openid profile',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: accessTokenS,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  };
}
