/** Which secrets a service accepts. Pure. */

/**
 * Part of every secret in this repository, for clusters on a developer's own machine, such as
 * deploy/k8s/overlays/local. Anyone can read them.
 */
export const DEVELOPMENT_MARK = 'development-only-';

/** Placeholders in the documentation, as a URL's password. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(['password', 'secret', 'changeme', 'change-me']);

const SECRET_CHARS_MIN = 32;

/**
 * A shorter secret can be guessed from one token. On failure, throws an Error that completes the
 * sentence "VARIABLE …".
 */
export const asSecret = (raw: string): string => {
  if (raw.length < SECRET_CHARS_MIN) throw new Error(`must have at least ${SECRET_CHARS_MIN} characters`);
  return raw;
};

/** Whether the value, a secret or a URL with a password, is published in this repository. */
export function isPublicSecret(raw: string): boolean {
  if (raw.includes(DEVELOPMENT_MARK)) return true;
  // The addresses of Sentinel and Cluster are no valid URLs.
  const password = /^[\w+]+:\/\/[^:@/]*:([^@/]*)@/.exec(raw)?.[1];
  return password !== undefined && PLACEHOLDERS.has(password.toLowerCase());
}
