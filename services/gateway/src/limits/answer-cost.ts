/** A large answer costs additional events, so heavy reads are limited like many small requests. */
const BYTES_PER_EVENT = 65_536;

/** Number of rooms that a request may read or notify for the price of one event. */
export const ROOMS_PER_EVENT = 20;
/** Number of users whose presence a request may read for the price of one event. */
export const USERS_PER_EVENT = 20;
/** Bytes charged for each member of a room, because every page reads all of them. */
export const MEMBER_ANSWER_BYTES = 64;

/** The additional events of the connection or user. */
export const eventsOf = (bytes: number): number => Math.floor(bytes / BYTES_PER_EVENT);
