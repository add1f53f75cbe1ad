/** Which web pages may connect. Pure. */

/**
 * A request without Origin does not come from a browser and is allowed. Otherwise the origin's host
 * must equal `Host`, default ports aside, or the origin must be listed, with any scheme
 * (`https://chat.example.com`, `capacitor://localhost`).
 */
export function isOriginAllowed(
  origin: string | undefined,
  host: string | undefined,
  listed: ReadonlySet<string>,
): boolean {
  if (origin === undefined || listed.has(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const parsed = new URL(origin);
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') return false;
  // Browsers send exactly an origin, without a path. Anything else is an attack.
  if (parsed.origin.toLowerCase() !== origin.toLowerCase()) return false;
  if (listed.has(parsed.origin)) return true;
  if (host === undefined || !/^[^/?#@\\\s]+$/.test(host)) return false;
  const own = `${parsed.protocol}//${host}`;
  return URL.canParse(own) && new URL(own).host === parsed.host;
}
