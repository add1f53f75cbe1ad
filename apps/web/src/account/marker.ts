/**
 * Remembers on the device that this user signs in at the provider. After a reload or in a new tab,
 * the page then asks the provider silently. The marker proves nothing and contains no token.
 */
const KEY = 'maru.provider';

const quietly = <T>(act: () => T): T | null => {
  try {
    return act();
  } catch {
    return null;
  }
};

export const rememberProvider = (): void => void quietly(() => localStorage.setItem(KEY, 'on'));
export const forgetProvider = (): void => void quietly(() => localStorage.removeItem(KEY));
export const isProviderRemembered = (): boolean => quietly(() => localStorage.getItem(KEY)) === 'on';
