/**
 * A large answer costs additional events, so that heavy reads are limited like many small requests.
 */
const BYTES_PER_EVENT = 65_536;

/** Rooms that a request looks at or announces something in, for the price of one event. */
export const ROOMS_PER_EVENT = 20;
/** Users whose presence a request reads, for the price of one event. */
export const USERS_PER_EVENT = 20;
/** A member of a room, in bytes of an answer. All are read for each page. */
export const MEMBER_ANSWER_BYTES = 64;

/** The additional events of the connection or user. */
export const eventsOf = (bytes: number): number => Math.floor(bytes / BYTES_PER_EVENT);
