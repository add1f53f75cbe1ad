/** Settings of accepted tokens. */
import { asInteger, asSecret, asText, asUrl } from '@maru/service-kit';

export const IDENTITY_FIELDS = {
  jwtSecret: {
    env: 'MARU_JWT_SECRET',
    doc: 'shared secret of HS256 tokens',
    parse: asSecret,
    fallback: undefined,
    secret: true,
  },
  jwksUrl: {
    env: 'MARU_JWKS_URL',
    doc: 'address of the key set of asymmetric tokens',
    parse: asUrl('http', 'https'),
    fallback: undefined,
  },
  jwksStaleMaxS: {
    env: 'MARU_JWKS_STALE_MAX_S',
    doc: 'if the key set cannot be fetched, known keys stay valid for this many seconds after the last fetch',
    parse: asInteger(600, 30 * 86_400),
    fallback: 86_400,
  },
  jwtIssuer: { env: 'MARU_JWT_ISSUER', doc: 'required iss of tokens', parse: asText, fallback: undefined },
  jwtAudience: { env: 'MARU_JWT_AUDIENCE', doc: 'required aud of tokens', parse: asText, fallback: undefined },
  tokenLifetimeMaxS: {
    env: 'MARU_TOKEN_LIFETIME_MAX_S',
    doc: 'tokens valid for longer than this, in seconds, are refused',
    parse: asInteger(60, 366 * 86_400),
    fallback: 31 * 86_400,
  },
} as const;
