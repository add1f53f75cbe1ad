/** Requests about the token of a connection. */
import { MaruError } from '@maru/protocol';
import type { Tokens } from '../identity/tokens.ts';
import { expiryOf } from '../sessions/expiry.ts';
import type { SessionRegistry } from '../sessions/registry.ts';
import type { Handlers } from './handler.ts';

export function authHandlers(parts: {
  tokens: Pick<Tokens, 'verify'>;
  registry: Pick<SessionRegistry, 'renewed'>;
  /** Milliseconds of the store's clock. */
  storeNow: () => number;
}): Pick<Handlers, 'auth:renew'> {
  const { tokens, registry, storeNow } = parts;
  return {
    // A wrong token changes nothing: the connection keeps its current token.
    'auth:renew': async (session, { token }) => {
      const { user, roles, expiresAtS, issuedAtS } = await tokens.verify(token);
      if (user.id !== session.user.id) throw new MaruError('forbidden', 'the token belongs to another user');
      session.roles = roles;
      session.issuedAtS = issuedAtS;
      session.expiry = expiryOf(expiresAtS, storeNow());
      registry.renewed(session);
      return { data: { expiresAt: session.expiry.atMs } };
    },
  };
}
