/** Which characters of a text a reader can see. Pure. */

/**
 * All characters except ignorable characters, white space, combining marks and the blank Braille
 * pattern. Controls count as visible, because many programs show them as boxes. Names refuse them
 * separately.
 */
const VISIBLE = /[^\p{Default_Ignorable_Code_Point}\p{White_Space}\p{Mn}\p{Me}\u2800]/u;

/** False for texts that consist of zero-width and filler characters. */
export const hasVisible = (text: string): boolean => VISIBLE.test(text);

/**
 * The zero-width joiner and non-joiner, and variation selectors: emoji and some scripts need them
 * in names.
 */
const JOINER = '[\\u200c\\u200d]';
const NEEDED = '[\\u200c\\u200d\\ufe00-\\ufe0f\\u{e0020}-\\u{e007f}]';
/** Other ignorable and blank characters only make two names look alike. */
const HIDDEN = new RegExp(`(?!${NEEDED})[\\p{Default_Ignorable_Code_Point}\\u2800]`, 'u');

/**
 * Characters whose shape a joiner does not change: white space, digits, and scripts without joining
 * letters.
 */
const UNJOINED = `[\\s\\p{Nd}${['Latin', 'Cyrillic', 'Greek', 'Hangul', 'Han', 'Hiragana', 'Katakana']
  .map((script) => `\\p{Script=${script}}`)
  .join('')}]`;
const IDLE_JOINER = new RegExp(
  `^${JOINER}|${JOINER}$|${JOINER}${JOINER}|${JOINER}${UNJOINED}|${UNJOINED}${JOINER}`,
  'u',
);

/**
 * True if a name contains hidden characters that make it look like another name. Joiners inside
 * emoji and inside words, for example Persian ones, are not hidden characters.
 */
export const hasHiddenInName = (name: string): boolean => HIDDEN.test(name) || IDLE_JOINER.test(name);
