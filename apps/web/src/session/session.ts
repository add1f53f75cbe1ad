/** Who is signed in. */
import type { Session as SignedIn } from '@maru/client/http';

export interface Session extends SignedIn {
  /** The user stays signed in on this device, and what is not sent yet stays, too. */
  stays: boolean;
  /** A newer token; null if the sign-in has ended. Guests have none. */
  renew?: () => Promise<string | null>;
  /** Signs out, on all devices. */
  end?: () => Promise<void>;
  /** Its tokens are in memory only. */
  isKept?: false;
}
