/**
 * A large answer costs additional events, so that heavy reads are limited like many small requests.
 */
const BYTES_PER_EVENT = 65_536;

/** The additional events of the connection or user. */
export const eventsOf = (bytes: number): number => Math.floor(bytes / BYTES_PER_EVENT);
