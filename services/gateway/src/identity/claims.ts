/** Reads claims of a verified token. Pure. */
import type { JWTPayload } from 'jose';

/** The named claim of a token is wrong. */
export class ClaimError extends Error {
  readonly claim: string;
  /** The user, if the token proves the identity. */
  readonly user: string | undefined;

  constructor(claim: string, user?: string) {
    super(`the claim ${claim} is wrong`);
    this.claim = claim;
    this.user = user;
  }
}

/**
 * Reads a claim by its name. A dot selects a nested claim. A name may also contain dots itself,
 * such as https://example.com/groups.
 */
export function claimAt(payload: JWTPayload, path: string): unknown {
  if (Object.hasOwn(payload, path)) return payload[path];
  return path.split('.').reduce<unknown>((value, name) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    return (value as Record<string, unknown>)[name];
  }, payload);
}

export const textsOf = (value: unknown): string[] =>
  [value].flat().filter((one): one is string => typeof one === 'string');
