/** Calls that need no token: the list of ways to sign in, and the sign-ins. */
import { type AuthConfig, GUEST_ID_PREFIX, httpSchemas, MaruError, parsePayload } from '@maru/protocol';
import type { Request } from 'express';
import type { SignIns } from '../audit/sign-ins.ts';
import type { Tokens } from '../identity/tokens.ts';
import type { KeyedLimit } from '../limits/keyed-limit.ts';
import type { GiveOrder } from '../revocation/audited-orders.ts';
import type { PasswordSignIn } from '../sign-in/password-sign-in.ts';
import { type Callers, type Route, signedIn, takeOrThrow } from './calls.ts';

export interface SignInDeps extends Callers {
  /** Also accepts tokens of accounts that expired some time ago. */
  verifyForRenewal: Callers['verify'];
  tokens: Pick<Tokens, 'issueGuest'>;
  authConfig: AuthConfig;
  /** Undefined without a directory. */
  passwordSignIn: PasswordSignIn | undefined;
  signIns: SignIns;
  giveOrder: GiveOrder;
  /** Limits sign-ins by address. */
  addressLimit: KeyedLimit;
}

export function signInRoutes(deps: SignInDeps): Route[] {
  const { tokens, authConfig, signIns, addressLimit } = deps;
  const passwordSignIn = () => {
    if (deps.passwordSignIn === undefined) throw new MaruError('not_found', 'there is no directory');
    return deps.passwordSignIn;
  };
  return [
    {
      method: 'GET',
      path: '/auth/config',
      handler: async (_request, response) => {
        response.json(authConfig);
      },
    },
    {
      method: 'POST',
      path: '/guests',
      handler: async (request, response) => {
        const address = addressOf(request);
        const guest = await signIns.run('guest', address, async () => {
          takeOrThrow(addressLimit, address);
          if (tokens.issueGuest === undefined) throw new MaruError('not_found', 'guests are switched off');
          const { name } = parsePayload(httpSchemas.guest, request.body);
          return tokens.issueGuest(name);
        });
        response.status(201).json(guest);
      },
    },
    {
      method: 'POST',
      path: '/sign-in',
      handler: async (request, response) => {
        const way = passwordSignIn();
        const address = addressOf(request);
        const answer = await signIns.run('ldap', address, async () => {
          takeOrThrow(addressLimit, address);
          return way.signIn(parsePayload(httpSchemas.signIn, request.body), address);
        });
        response.json(answer);
      },
    },
    {
      method: 'POST',
      path: '/sign-in/renew',
      handler: signedIn({ ...deps, verify: deps.verifyForRenewal })(async (request, response, identity) => {
        const way = passwordSignIn();
        response.json(await signIns.renew(addressOf(request), () => way.renew(identity)));
      }),
    },
    {
      method: 'POST',
      path: '/sign-out',
      handler: signedIn({ ...deps, verify: deps.verifyForRenewal })(async (request, response, { user: { id } }) => {
        // A stranger makes any number of guests, and the store keeps a number of revocations.
        if (id.startsWith(GUEST_ID_PREFIX)) throw new MaruError('forbidden', 'guests have no account');
        await deps.giveOrder('revoke', id, { action: 'sign-out', by: id, address: addressOf(request) });
        response.json({});
      }),
    },
  ];
}

const addressOf = (request: Request): string => request.ip ?? '';
