/**
 * Delays news briefly and limits the number of notices. News that is read during the delay, here or
 * on another device, causes no notice. Several messages of a room become one notice.
 */
import type { Scheduler } from '@maru/client';
import type { News } from './rules.ts';

export type Notice =
  | { readonly kind: 'room'; readonly news: News; readonly count: number }
  | { readonly kind: 'many'; readonly count: number; readonly rooms: number };

export const HOLD_MS = 1_000;
/** Maximum notices in a window. Further ones are merged into one at the end of the window. */
export const NOTICES_MAX = 3;
export const WINDOW_MS = 10_000;
/** How many messages to remember, because two events can report the same message. */
const SEEN_MAX = 500;

export interface NoticeQueueOptions {
  scheduler: Scheduler;
  /** Called when the notice is about to be shown, not when the message arrives. */
  mayTell: (news: News) => boolean;
  tell: (notices: readonly Notice[]) => void;
}

export class NoticeQueue {
  readonly #options: NoticeQueueOptions;
  readonly #seen = new Set<string>();
  #held: News[] = [];
  #shownAtMs: number[] = [];
  #cancel: (() => void) | null = null;

  constructor(options: NoticeQueueOptions) {
    this.#options = options;
  }

  add(news: News): void {
    const key = `${news.room}/${news.seq}/${news.from.id}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const [oldest] = this.#seen;
    if (this.#seen.size > SEEN_MAX && oldest !== undefined) this.#seen.delete(oldest);
    this.#held.push(news);
    const { scheduler } = this.#options;
    const holdMs = this.#recent() < NOTICES_MAX ? HOLD_MS : WINDOW_MS;
    this.#cancel ??= scheduler.after(holdMs, () => this.#flush());
  }

  close(): void {
    this.#cancel?.();
    this.#held = [];
  }

  #recent(): number {
    const since = this.#options.scheduler.now() - WINDOW_MS;
    this.#shownAtMs = this.#shownAtMs.filter((atMs) => atMs > since);
    return this.#shownAtMs.length;
  }

  #flush(): void {
    const { scheduler, mayTell, tell } = this.#options;
    this.#cancel = null;
    const news = this.#held.filter(mayTell);
    this.#held = [];
    if (news.length === 0) return;
    const groups = noticesOf(news);
    const isTooMuch = groups.length > 1 && this.#recent() + groups.length > NOTICES_MAX;
    const notices: Notice[] = isTooMuch ? [{ kind: 'many', count: news.length, rooms: groups.length }] : groups;
    for (const _ of notices) this.#shownAtMs.push(scheduler.now());
    tell(notices);
  }
}

/**
 * One notice for each room, with its newest message. News that names the reader takes precedence.
 */
export function noticesOf(news: readonly News[]): Notice[] {
  const byRoom = Map.groupBy(news, ({ room }) => room);
  return [...byRoom.values()].flatMap((all) => {
    const newest = all.findLast(({ kind }) => kind !== 'message') ?? all.at(-1);
    return newest === undefined ? [] : [{ kind: 'room', news: newest, count: all.length } as const];
  });
}
