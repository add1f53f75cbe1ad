import { tokensOf } from './tokens.ts';

/**
 * Scope tokens: the place and author of a message. They begin with a colon. A text's tokens never
 * contain a colon, so no text and no prefix of a word matches them.
 */
export const scopeTokens = {
  /** Messages of rooms that all users may read. */
  public: ':p',
  room: (room: string) => `:r${room}`,
  author: (user: string) => `:u${user}`,
  /**
   * The four-week period in which the message was stored. Periods divide a search with many
   * results.
   */
  period: (period: number) => `:t${period}`,
};

const PERIOD_MS = 28 * 24 * 60 * 60 * 1_000;

/** The number of the period that contains a time. */
export function periodOf(ts: number): number {
  return Math.floor(ts / PERIOD_MS);
}

/** The first millisecond of a period. */
export function startOfPeriod(period: number): number {
  return period * PERIOD_MS;
}

/** A lexeme in PostgreSQL's input format of `tsvector` and `tsquery`. */
export function quoteLexeme(token: string): string {
  return `'${token.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

export interface IndexedMessage {
  text: string;
  room: string;
  author: string;
  /** When the store received the message, in milliseconds. */
  ts: number;
  /** True for private and direct rooms. */
  private: boolean;
}

/** The column `words` of a message: text for a cast to `tsvector`. */
export function toWords(message: IndexedMessage): string {
  const tokens = [
    ...tokensOf(message.text),
    scopeTokens.room(message.room),
    scopeTokens.author(message.author),
    scopeTokens.period(periodOf(message.ts)),
  ];
  if (!message.private) tokens.push(scopeTokens.public);
  return tokens.map(quoteLexeme).join(' ');
}
