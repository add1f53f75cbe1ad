/** Which web pages may talk to us. Pure. */

/**
 * No Origin at all is not a browser, and allowed. Else the origin's host must equal `Host` (default ports aside), or the
 * origin must be listed, as `https://chat.example.com`.
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  listed: ReadonlySet<string>,
): boolean {
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const parsed = new URL(origin);
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') return false;
  // A browser sends no path; anything that is not exactly an origin is somebody's trick.
  if (parsed.origin.toLowerCase() !== origin.toLowerCase()) return false;
  if (listed.has(parsed.origin)) return true;
  if (host === undefined || !/^[^/?#@\\\s]+$/.test(host)) return false;
  const own = `${parsed.protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === parsed.host;
}
