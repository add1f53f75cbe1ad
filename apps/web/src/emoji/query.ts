/** Finds an unfinished emoji name before the caret: `:smi`, `:웃`. Pure. */

export interface EmojiQuery {
  /** Index of the colon. */
  at: number;
  typed: string;
}

/** A colon and one Latin letter is a face, such as `:D`, and not a query. */
const QUERY = /(?:^|\s):((?=[^\s:]{2}|[^\p{ASCII}])[\p{L}\p{N}+_-]{1,32})$/u;

export function emojiQuery(text: string, caret: number): EmojiQuery | null {
  const typed = QUERY.exec(text.slice(Math.max(0, caret - 40), caret))?.[1];
  return typed === undefined ? null : { at: caret - typed.length - 1, typed };
}
