/**
 * The route at the start of an Engine.IO session id, up to the first dot. nginx reads it to send
 * all requests of a session to the node that created it, without a cookie (docs/decisions/0004 and
 * 0012).
 */
import { createHash } from 'node:crypto';

export const SESSION_ROUTES = ['name', 'address'] as const;
/**
 * `name`: the node's name, if nginx knows the names. `address`: a hash of the node's address, which
 * nginx can compute.
 */
export type SessionRoute = (typeof SESSION_ROUTES)[number];

/** The node's end of the connection of a handshake. */
export interface ReachedAt {
  localAddress?: string | undefined;
  localPort?: number | undefined;
}

/** How a dual-stack socket reports an IPv4 address. */
const MAPPED_IPV4 = '::ffff:';

export function sessionRouteOf(kind: SessionRoute, node: string, reachedAt: ReachedAt): string {
  const { localAddress, localPort } = reachedAt;
  // A connection that has ended has no address. Its session is never used.
  if (kind === 'name' || localAddress === undefined) return node;
  const host = localAddress.startsWith(MAPPED_IPV4) ? localAddress.slice(MAPPED_IPV4.length) : localAddress;
  // nginx hashes an address in this form for a server without `route`. The hash is not for
  // security.
  const written = host.includes(':') ? `[${host}]:${localPort}` : `${host}:${localPort}`;
  return createHash('md5').update(written).digest('hex');
}
