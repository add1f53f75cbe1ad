/** The session of the signed-in user. */
import type { Session as SignedIn } from '@maru/client/http';

export interface Session extends SignedIn {
  /** The user stays signed in on this device, and unsent messages are stored. */
  stays: boolean;
  /** Returns a newer token. Null if the sign-in has ended. Guests have no such function. */
  renew?: () => Promise<string | null>;
  /** Signs out on all devices. False: the server did not do it. Guests have none. */
  end?: () => Promise<boolean>;
  /** Signs out at the provider, after `end`: the page goes there. */
  leave?: () => void;
  /** Its tokens are in memory only. */
  isKept?: false;
}
