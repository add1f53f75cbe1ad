/**
 * What screen readers announce about new messages. Messages within half a second share one
 * announcement: some in full, and the number of the others. None is omitted.
 */
import type { Scheduler } from '@maru/client';
import type { Entry } from '@maru/protocol/events';
import { plainText } from '../text/markup.ts';

const FLUSH_MS = 500;
const FULL_MESSAGES_MAX = 3;
/** Longer texts are cut. The message itself has the whole text. */
const TEXT_CHARACTERS_MAX = 500;
/** Screen readers read added elements with a delay. Elements that may be unread must stay. */
const KEPT_MAX = 10;

export interface HeardMessage {
  seq: number;
  name: string;
  text: string;
}

export interface Announcement {
  id: number;
  messages: readonly HeardMessage[];
  /** Number of further messages, besides `messages`. */
  moreCount: number;
}

/** A deleted message has no text. */
export const isShown = (entry: Entry): boolean => entry.type === 'text' && entry.text !== undefined;

export class Announcer {
  readonly #scheduler: Scheduler;
  readonly #ownId: string;
  /** Receives the newest announcements. */
  readonly #onChange: (announcements: readonly Announcement[]) => void;
  #waiting: HeardMessage[] = [];
  #announcements: readonly Announcement[] = [];
  #lastId = 0;
  #cancelFlush = () => {};

  constructor(scheduler: Scheduler, ownId: string, onChange: (announcements: readonly Announcement[]) => void) {
    this.#scheduler = scheduler;
    this.#ownId = ownId;
    this.#onChange = onChange;
  }

  /** Announces new messages of other users: entries above `afterSeq`. Forgets deleted messages. */
  note(entries: readonly Entry[], afterSeq: number): void {
    for (const entry of entries) {
      if (entry.type === 'message.delete') this.#forget((entry.data as { seq: number }).seq);
      if (entry.seq <= afterSeq || !isShown(entry) || entry.from.id === this.#ownId) continue;
      if (this.#waiting.length === 0) this.#cancelFlush = this.#scheduler.after(FLUSH_MS, () => this.#flush());
      this.#waiting.push({ seq: entry.seq, name: entry.from.name, text: shorten(plainText(entry.text ?? '')) });
    }
  }

  /** Forgets all announcements: they are out of date when the room is shown again. */
  clear(): void {
    this.close();
    if (this.#announcements.length > 0) this.#tell([]);
  }

  close(): void {
    this.#cancelFlush();
    this.#waiting = [];
  }

  #flush(): void {
    const messages = this.#waiting.slice(0, FULL_MESSAGES_MAX);
    const moreCount = this.#waiting.length - messages.length;
    this.#waiting = [];
    this.#tell([...this.#announcements, { id: ++this.#lastId, messages, moreCount }].slice(-KEPT_MAX));
  }

  /** A deleted text must not stay in the page. */
  #forget(seq: number): void {
    const others = (messages: readonly HeardMessage[]) => messages.filter((message) => message.seq !== seq);
    this.#waiting = others(this.#waiting);
    if (this.#waiting.length === 0) this.#cancelFlush();
    if (!this.#announcements.some(({ messages }) => messages.some((message) => message.seq === seq))) return;
    this.#tell(this.#announcements.map((one) => ({ ...one, messages: others(one.messages) })));
  }

  #tell(announcements: readonly Announcement[]): void {
    this.#announcements = announcements;
    this.#onChange(announcements);
  }
}

function shorten(text: string): string {
  const characters = [...text];
  if (characters.length <= TEXT_CHARACTERS_MAX) return text;
  return `${characters.slice(0, TEXT_CHARACTERS_MAX).join('')}…`;
}
