/**
 * Verifies common tokens synchronously: HS256 with a plain header. jose uses WebCrypto, which sends
 * every verification to another thread at several times its cost. Every token that this module
 * accepts, jose accepts too. All other tokens are left to jose.
 */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { type JWTClaimVerificationOptions, type JWTPayload, type ProtectedHeaderParameters, UnsecuredJWT } from 'jose';

/**
 * Header parameters that do not change the check. Tokens with others, above all `crit`, are left to
 * jose.
 */
const PLAIN_PARAMETERS: ReadonlySet<string> = new Set(['alg', 'typ', 'kid']);
/** The header of an unsecured token. With it, jose checks only the claims. */
const UNSECURED = Buffer.from('{"alg":"none"}').toString('base64url');

/**
 * Undefined if the token is not plain or the signature is wrong. Throws jose's error if a claim is
 * wrong.
 */
export function readPlainHmac(
  token: string,
  header: ProtectedHeaderParameters,
  key: KeyObject,
  claims: JWTClaimVerificationOptions,
): JWTPayload | undefined {
  if (header.alg !== 'HS256' || !Object.keys(header).every((name) => PLAIN_PARAMETERS.has(name))) return undefined;
  const signedChars = token.lastIndexOf('.');
  const payloadFrom = token.indexOf('.') + 1;
  if (payloadFrom > signedChars || token.indexOf('.', payloadFrom) !== signedChars) return undefined;
  const expected = Buffer.from(createHmac('sha256', key).update(token.slice(0, signedChars)).digest('base64url'));
  const given = Buffer.from(token.slice(signedChars + 1));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  return UnsecuredJWT.decode(`${UNSECURED}.${token.slice(payloadFrom, signedChars)}.`, claims).payload;
}
