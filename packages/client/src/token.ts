/**
 * Returns the token, or null if there is no way to get one. Then the client ends as
 * `unauthenticated`. `refresh` is true if the last token was refused or is about to expire. A
 * rejection is a temporary failure, and the client tries again.
 */
export type GetToken = (request: { refresh: boolean }) => string | null | Promise<string | null>;
