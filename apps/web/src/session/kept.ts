/** Unsent messages that the page stores. Loaded together with the chat. */
import type { ClientLogger } from '@maru/client';
import {
  countEndingWithTab,
  countKept,
  forgetKept,
  type KeptIn,
  openTabStorage,
  type TabStorage,
} from '@maru/client/tabs';
import { createContext } from 'preact';
import type { Session } from './device.ts';

export { countKept, forgetKept, type KeptIn };

export const KeptContext = createContext<KeptIn>('tab');

export const openKept = ({ user, stays }: Session, logger: ClientLogger): Promise<TabStorage> =>
  openTabStorage({ user: user.id, keep: stays ? 'device' : 'tab', logger });

/** Makes the browser ask before the tab closes or reloads, if that would lose messages. */
export function guardUnload(): void {
  addEventListener('beforeunload', (event) => {
    if (countEndingWithTab() > 0) event.preventDefault();
  });
}
