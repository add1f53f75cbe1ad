/**
 * Makes texts of other users safe for a terminal: they cannot move the cursor or change other
 * output. Pure.
 */

/** Control characters, of which escape sequences are made, without line feeds. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to remove
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g;
/** Bidi controls would reverse the text after them. */
const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** Maximum combining marks on a letter. More would reach into the lines above and below. */
const MARKS_MAX = 4;
const STACK = new RegExp(`(\\p{M}{${MARKS_MAX}})\\p{M}+`, 'gu');

/** Replaces tabs with spaces, and removes unsafe characters. */
export const safeText = (text: string): string =>
  text.replaceAll('\t', ' ').replace(CONTROLS, '').replace(BIDI_CONTROLS, '').replace(STACK, '$1');

/** A name or another text in one line. */
export const safeLine = (text: string): string => safeText(text).replaceAll('\n', ' ');
