/** Formats notices and shows them: a desktop notification or a sound, as the user has chosen. */
import type { RoomName } from '../model/room-name.ts';
import type { PreferenceStore } from '../settings/preferences.ts';
import { plainText } from '../text/markup.ts';
import type { Desktop } from './desktop.ts';
import type { Leader } from './leader.ts';
import type { Teller } from './notices.ts';
import type { Notice } from './queue.ts';
import type { News } from './rules.ts';

export interface NoticeWords {
  inRoom: (name: string, room: string) => string;
  invited: (name: string) => string;
  newMessage: string;
  mentioned: string;
  many: (count: number, rooms: number) => string;
}

export interface TellerOptions {
  desktop: Desktop;
  leader: Pick<Leader, 'isLeading'>;
  preferences: Pick<PreferenceStore, 'get'>;
  words: () => NoticeWords;
  nameOf: (room: string) => RoomName;
  playSound: () => void;
  /** `seq`: 0 shows the end of the room. `room`: null shows the page as it is. */
  onOpen: (room: string | null, seq: number) => void;
}

/** The tag of a notice about several rooms. It is not a valid room id. */
export const SUMMARY_TAG = '*';
/** Desktops cut longer texts anyway. */
const TEXT_CHARS_MAX = 200;

export function createTeller(options: TellerOptions): Teller {
  const { desktop, leader, preferences, playSound, onOpen } = options;
  const show = (notice: Notice) => {
    if (notice.kind === 'many') {
      const title = options.words().many(notice.count, notice.rooms);
      return desktop.show({ tag: SUMMARY_TAG, title, body: '', onOpen: () => onOpen(null, 0) });
    }
    const { news } = notice;
    desktop.show({ tag: news.room, ...textOf(notice, options), onOpen: () => onOpen(news.room, news.seq) });
  };
  return {
    tell(notices) {
      if (!leader.isLeading()) return;
      const { desktopNotices, sound } = preferences.get();
      if (desktopNotices) for (const notice of notices) show(notice);
      if (sound) playSound();
    },
    withdraw: desktop.close,
  };
}

/** The title says who and where. The body has the text. */
export function textOf(
  { news, count }: Extract<Notice, { kind: 'room' }>,
  { words, nameOf, preferences }: Pick<TellerOptions, 'words' | 'nameOf' | 'preferences'>,
): { title: string; body: string } {
  const noticeWords = words();
  if (news.kind === 'invite') return { title: noticeWords.invited(news.from.name), body: news.text };
  const { name, isPerson } = nameOf(news.room);
  const where = isPerson ? news.from.name : noticeWords.inRoom(news.from.name, `#${name}`);
  return { title: count > 1 ? `${where} (${count})` : where, body: bodyOf(news, noticeWords, preferences) };
}

function bodyOf(news: News, noticeWords: NoticeWords, preferences: TellerOptions['preferences']): string {
  if (preferences.get().noticesShowText) return [...plainText(news.text)].slice(0, TEXT_CHARS_MAX).join('');
  return news.kind === 'mention' ? noticeWords.mentioned : noticeWords.newMessage;
}
