/** An unfinished name of an emoji before the caret: `:smi`, `:웃`. Pure. */

export interface EmojiQuery {
  /** Where the colon is. */
  at: number;
  typed: string;
}

/** One Latin letter after a colon is a face: `:D`. */
const QUERY = /(?:^|\s):((?=[^\s:]{2}|[^\p{ASCII}])[\p{L}\p{N}+_-]{1,32})$/u;

export function emojiQuery(text: string, caret: number): EmojiQuery | null {
  const typed = QUERY.exec(text.slice(Math.max(0, caret - 40), caret))?.[1];
  return typed === undefined ? null : { at: caret - typed.length - 1, typed };
}
