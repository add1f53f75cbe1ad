/** What a large answer costs beyond its own event, so that heavy reads are paced like many small ones. */
const BYTES_PER_EVENT = 65_536;

/** In events of the asking connection or user. */
export const eventsOf = (bytes: number): number => Math.floor(bytes / BYTES_PER_EVENT);
