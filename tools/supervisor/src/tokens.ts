/** Signs tokens with the secret of the cluster, to try the API and the console. */
import { SignJWT } from 'jose';
import { Failure } from '../../bootstrap/failure.mjs';

/** One working day. */
const LIFETIME = '12h';

export interface TokenRequest {
  /** The user id. */
  sub: string;
  /** The name that others see. */
  name: string;
  /** `admin`, or null. */
  role: string | null;
}

/**
 * @param environment - of gateways: if an issuer and an audience are set, the token has them
 * @throws Failure if the gateways accept no tokens of this secret
 */
export async function signToken({ sub, name, role }: TokenRequest, environment: NodeJS.ProcessEnv): Promise<string> {
  const { MARU_JWT_SECRET, MARU_JWT_ISSUER, MARU_JWT_AUDIENCE } = environment;
  if (!MARU_JWT_SECRET) throw new Failure('This cluster has no secret for tokens: MARU_JWKS_URL names their issuer.');
  if (sub.startsWith('guest-')) throw new Failure('Ids that begin with guest- are those of guests.');
  const token = new SignJWT({ name, ...(role === null ? {} : { roles: [role] }) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setSubject(sub)
    .setIssuedAt()
    .setExpirationTime(LIFETIME);
  if (MARU_JWT_ISSUER) token.setIssuer(MARU_JWT_ISSUER);
  if (MARU_JWT_AUDIENCE) token.setAudience(MARU_JWT_AUDIENCE);
  return token.sign(new TextEncoder().encode(MARU_JWT_SECRET));
}
