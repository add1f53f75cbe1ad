/**
 * Knows the primaries and the slots that each owns. A topology opens connections only for its
 * queries. It does not know the connections of stores.
 */
import { type HostAndPort, parseHost } from './address.ts';

export interface Topology {
  /** The address `host:port` of the primary that owns the slot. Undefined while none is known. */
  ownerOf(slot: number): string | undefined;
  /** Addresses of all primaries that own slots. */
  readonly primaries: ReadonlySet<string>;
  /** Whether every slot has an owner. */
  readonly isCovered: boolean;
  /** Runs `callback` after a slot changed its owner. */
  onChange(callback: () => void): void;
  /**
   * The server `from` answered that the slot is now at `address`. This takes effect immediately.
   */
  noteMoved(slot: number, address: string, from: string): void;
  /** A call failed, possibly because of a change. Asks again soon. */
  recheck(): void;
  close(): void;
}

export const addressOf = ({ host, port }: HostAndPort): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

export function hostOf(address: string): HostAndPort {
  const parsed = parseHost(address, 0);
  if (parsed === undefined) throw new Error(`${address} is not host:port`);
  return parsed;
}
