/** Access tokens for the generated clients. */
import { createHmac } from 'node:crypto';

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const VALID_S = 3_600;

/** A JWT signed with HS256, valid for one hour. */
export function createToken(secret: string, user: string): string {
  const nowS = Math.floor(Date.now() / 1_000);
  const claims = { sub: user, name: user, iat: nowS, exp: nowS + VALID_S };
  const body = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}
