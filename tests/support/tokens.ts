/** Creates tokens, valid and invalid ones, and guests. */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export interface Claims {
  sub?: unknown;
  name?: unknown;
  roles?: unknown;
  exp?: unknown;
  [claim: string]: unknown;
}

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

/** A JWT, always signed with HMAC. Without an `exp` claim it is valid for an hour. */
export function mintToken(
  secret: string,
  claims: Claims,
  header: Record<string, unknown> = { alg: 'HS256', typ: 'JWT' },
): string {
  const body = `${base64url(header)}.${base64url({ iat: nowSeconds(), exp: nowSeconds() + 3600, ...claims })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

/** A JWT with the header `alg: none` and no signature. */
export const unsignedToken = (claims: Claims): string =>
  `${base64url({ alg: 'none', typ: 'JWT' })}.${base64url({ exp: nowSeconds() + 3600, ...claims })}.`;

export interface Guest {
  token: string;
  user: { id: string; name: string };
}

export async function createGuest(endpoint: string, name = 'Mina'): Promise<Guest> {
  const response = await fetch(`${endpoint}/api/v1/guests`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  const body = await response.text();
  assert.equal(response.status, 201, body);
  return JSON.parse(body) as Guest;
}

/** A room id that no other test uses. */
export const newRoom = (prefix = 'room'): string => `${prefix}-${randomUUID()}`;
export const newId = (): string => randomUUID();
