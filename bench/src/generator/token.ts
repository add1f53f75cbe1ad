/** Tokens for the clients of a run. */
import { createHmac } from 'node:crypto';

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const LIFETIME_S = 3_600;

/** A JWT of HS256, good for an hour. */
export function mintToken(secret: string, user: string): string {
  const nowS = Math.floor(Date.now() / 1_000);
  const claims = { sub: user, name: user, iat: nowS, exp: nowS + LIFETIME_S };
  const body = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}
