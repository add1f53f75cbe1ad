/**
 * Gives the token to connect with, or null when there is none and no way to get one: the client then ends as
 * `unauthenticated`. `refresh` is true when the last one was refused or is about to expire. A rejection is a passing failure,
 * and is tried again.
 */
export type GetToken = (request: { refresh: boolean }) => string | null | Promise<string | null>;
