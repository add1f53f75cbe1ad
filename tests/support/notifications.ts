/** Notifications that a page shows, recorded instead of shown. */
import type { BrowserContext, Page } from 'playwright-core';

export interface ShownNotification {
  title: string;
  body: string;
  tag: string;
  isOpen: boolean;
}

/** Call it before the first page of the context opens. It allows the page to show notifications. */
export async function recordNotifications(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const all: Recorded[] = [];
    class Recorded extends EventTarget {
      static permission = 'granted';
      static requestPermission = async () => 'granted';
      onclick: (() => void) | null = null;
      onclose: (() => void) | null = null;
      isOpen = true;
      readonly title: string;
      readonly body: string;
      readonly tag: string;
      constructor(title: string, { body = '', tag = '' }: { body?: string; tag?: string }) {
        super();
        [this.title, this.body, this.tag] = [title, body, tag];
        for (const other of all) if (other.tag === tag) other.isOpen = false;
        all.push(this);
      }
      close() {
        this.isOpen = false;
        this.onclose?.();
      }
    }
    Object.assign(globalThis, { Notification: Recorded, recorded: all });
  });
}

type Recording = { recorded: Array<ShownNotification & { onclick: (() => void) | null }> };

/** In the order in which they were shown. */
export const notificationsOf = (page: Page): Promise<ShownNotification[]> =>
  page.evaluate(() =>
    (globalThis as unknown as Recording).recorded.map(({ title, body, tag, isOpen }) => ({ title, body, tag, isOpen })),
  );

export const clickNotification = (page: Page, index: number): Promise<void> =>
  page.evaluate((at) => (globalThis as unknown as Recording).recorded[at]?.onclick?.(), index);
