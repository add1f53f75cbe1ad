/**
 * The types of all texts. The English texts define them, so a missing text in another language is a
 * compile error.
 */
import type { words as account } from './en/account.ts';
import type { words as console } from './en/console.ts';
import type { words as conversation } from './en/conversation.ts';
import type { words as emoji } from './en/emoji.ts';
import type { words as main } from './en/main.ts';
import type { words as moderation } from './en/moderation.ts';
import type { words as notices } from './en/notices.ts';
import type { words as presence } from './en/presence.ts';
import type { words as rooms } from './en/rooms.ts';
import type { words as search } from './en/search.ts';
import type { words as settings } from './en/settings.ts';
import type { words as shortcuts } from './en/shortcuts.ts';

/** The texts of the sign-in and the room. They load before the first paint. */
export type Catalogue = typeof main;

/** The texts of parts that load on demand. */
export interface Sections {
  account: typeof account;
  console: typeof console;
  conversation: typeof conversation;
  emoji: typeof emoji;
  moderation: typeof moderation;
  notices: typeof notices;
  presence: typeof presence;
  rooms: typeof rooms;
  search: typeof search;
  settings: typeof settings;
  shortcuts: typeof shortcuts;
}

export type Section = keyof Sections;

/** What the `index.ts` of a language's folder exports. */
export interface LanguagePack {
  main: Catalogue;
  sections: { [S in Section]: () => Promise<Sections[S]> };
}
