/**
 * The common token checked at once: HS256, nothing unusual in its header. WebCrypto, which jose uses, sends every check to another thread, at
 * several times the price of so small a piece of work. What is taken here, jose would take too; whatever is not is left to jose.
 */
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { type JWTClaimVerificationOptions, type JWTPayload, type ProtectedHeaderParameters, UnsecuredJWT } from 'jose';

/** Header parameters that change nothing about how a token is checked; any other, above all `crit`, is for jose to judge. */
const PLAIN_PARAMETERS: ReadonlySet<string> = new Set(['alg', 'typ', 'kid']);
/** The header of a token without a signature, under which jose checks claims alone. */
const UNSECURED = Buffer.from('{"alg":"none"}').toString('base64url');

/** Undefined where the token is not plain or the signature is not the key's. Throws as jose does where a claim is not good. */
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
