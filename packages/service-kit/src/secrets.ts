/** Which secrets a service accepts. Pure. */

/**
 * Part of every secret that this repository contains for clusters on one's own machine, such as
 * deploy/k8s/overlays/local. Anyone can read them.
 */
export const DEVELOPMENT_MARK = 'development-only-';

/** Placeholders of the documentation, in a URL's password. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(['password', 'secret', 'changeme', 'change-me']);

const SECRET_CHARS_MIN = 32;
/** 32 random hexadecimal digits have fewer distinct ones in 1 of 25 million cases. */
const DISTINCT_CHARS_MIN = 8;
const PERIOD_CHARS_MIN = 16;

/**
 * A shorter secret can be guessed from one token, and so can one of few different characters or of
 * a short text that repeats. On failure throws an Error that completes the sentence "VARIABLE …".
 */
export const asSecret = (raw: string): string => {
  if (raw.length < SECRET_CHARS_MIN) throw new Error(`must have at least ${SECRET_CHARS_MIN} characters`);
  if (new Set(raw).size < DISTINCT_CHARS_MIN || periodOf(raw) < PERIOD_CHARS_MIN)
    throw new Error('is too regular: generate it, for example with openssl rand -base64 36');
  return raw;
};

/** Whether the value, a secret or a URL with a password, can be read in this repository. */
export function isPublicSecret(raw: string): boolean {
  if (raw.includes(DEVELOPMENT_MARK)) return true;
  // The addresses of Sentinel and Cluster are no valid URLs.
  const password = /^[\w+]+:\/\/[^:@/]*:([^@/]*)@/.exec(raw)?.[1];
  return password !== undefined && PLACEHOLDERS.has(password.toLowerCase());
}

/** The length of the shortest text whose repetition is `raw`. */
function periodOf(raw: string): number {
  for (let period = 1; period < raw.length; period++)
    if (raw.slice(period) === raw.slice(0, raw.length - period)) return period;
  return raw.length;
}
