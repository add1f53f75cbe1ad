import { tokensOf } from './tokens.ts';

/**
 * Scope tokens: where and from whom a message is. They begin with a colon, which is no part of a
 * text's token, so no text and no prefix of a word finds them.
 */
export const scopeTokens = {
  /** Messages of rooms that anyone may read. */
  public: ':p',
  room: (room: string) => `:r${room}`,
  author: (user: string) => `:u${user}`,
  /** The four weeks in which the message was stored. They divide a search with many results. */
  period: (period: number) => `:t${period}`,
};

const PERIOD_MS = 28 * 24 * 60 * 60 * 1_000;

/** The number of the period that holds a time. */
export function periodOf(ts: number): number {
  return Math.floor(ts / PERIOD_MS);
}

/** The first millisecond of a period. */
export function startOfPeriod(period: number): number {
  return period * PERIOD_MS;
}

/** A lexeme as PostgreSQL's input of `tsvector` and `tsquery` reads it. */
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
