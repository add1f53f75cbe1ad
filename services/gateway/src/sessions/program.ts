/** As in the contract. It is shown to operators only, and nothing depends on it. */
const PROGRAM = /^[A-Za-z0-9][A-Za-z0-9 ._/+-]{0,39}$/;

/**
 * The name that a client gives itself in its handshake. Anything but a short plain name is ignored.
 */
export const programOf = (value: unknown): string | undefined =>
  typeof value === 'string' && PROGRAM.test(value) ? value : undefined;
