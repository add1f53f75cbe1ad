/** Signs a user out on all devices. */
import { signOutEverywhere } from '@maru/client/http';

/**
 * True if the user is signed out, also if that was done before. `renew` is for a token that may
 * have expired. It returns null if the sign-in has ended.
 */
export async function endEverywhere(
  token: string,
  renew: () => Promise<string | null> = async () => null,
): Promise<boolean> {
  const result = await signOutEverywhere({ token });
  if (result.ok || result.error.code !== 'unauthenticated') return result.ok;
  try {
    const next = await renew();
    return next === null || (await endEverywhere(next));
  } catch {
    return false;
  }
}
