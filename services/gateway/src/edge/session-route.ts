/**
 * What the id of an Engine.IO session begins with, up to the first dot: the edge reads it to lead all requests of a session to the node that
 * made it, without a cookie (docs/decisions/0004 and 0012).
 */
import { createHash } from 'node:crypto';

export const SESSION_ROUTES = ['name', 'address'] as const;
/** `name`: the node's, where the edge knows the names. `address`: a digest of where the edge reached this node, which nginx knows by itself. */
export type SessionRoute = (typeof SESSION_ROUTES)[number];

/** The node's end of the connection on which a handshake came. */
export interface ReachedAt {
  localAddress?: string | undefined;
  localPort?: number | undefined;
}

/** An IPv4 connection as a socket that listens for both families reports it. */
const MAPPED_IPV4 = '::ffff:';

export function sessionRouteOf(kind: SessionRoute, node: string, reachedAt: ReachedAt): string {
  const { localAddress, localPort } = reachedAt;
  // A connection that ended meanwhile has no address; its session serves nobody.
  if (kind === 'name' || localAddress === undefined) return node;
  const host = localAddress.startsWith(MAPPED_IPV4) ? localAddress.slice(MAPPED_IPV4.length) : localAddress;
  // As nginx writes an address, and hashes it for a server that was given no `route`. It hides nothing and guards nothing.
  const written = host.includes(':') ? `[${host}]:${localPort}` : `${host}:${localPort}`;
  return createHash('md5').update(written).digest('hex');
}
