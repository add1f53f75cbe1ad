/** What needs no parser: whether a text has markup, and the text without its markers. Pure. */

/** Characters without which no text has markup. A text that only looks like it costs one parse. */
const MARKUP = /[*_~`[]|https?:\/\/|mailto:|www\.|[^\s@]@[^\s@]+\.|^[ \t]*(?:[->][ \t]|\d{1,3}[.)] )/im;

export const hasMarkup = (text: string): boolean => MARKUP.test(text);

const FENCE = /^[ \t]*`{3,}[\w+#.-]*[ \t]*$/gm;
const LINE_MARKER = /^(?:[ \t]*(?:>|[-*]|\d{1,3}[.)])[ \t]+)+/gm;
const LABELLED = /\[([^[\]\n]{1,300})\]\((?:https?:|mailto:)[^\s()]*\)/gi;
/** Markers around words. The bound keeps hostile texts cheap. */
const PAIR = /(?<![A-Za-z0-9*_~\\])(\*{1,3}|__?|~~)(?=[^\s*_~])([^\n]{0,300}?[^\s*_~])\1(?![A-Za-z0-9*_~])/g;
const CODE = /(?<!`)(`{1,3})([^`\n]{1,300})\1(?!`)/g;

/**
 * The text for previews, notifications and screen readers. It needs no parser, and is not as exact:
 * it may leave a marker of code, or of what is nested deeply.
 */
export function plainText(text: string): string {
  if (!hasMarkup(text)) return text;
  return text
    .replace(FENCE, '')
    .replace(LINE_MARKER, (marker) => (/\d/.test(marker) ? marker.replace(/[>*-][ \t]+/g, '') : ''))
    .replace(LABELLED, '$1')
    .replace(CODE, '$2')
    .replace(PAIR, '$2')
    .replace(PAIR, '$2')
    .trim();
}

/** The same of a text in parts, such as a snippet with marks: a marker may be in several parts. */
export function plainParts<T extends { text: string }>(parts: readonly T[]): T[] {
  const plain = plainText(parts.map(({ text }) => text).join(''));
  let at = 0;
  // Markers are only left out, so what remains follows in the same order.
  const keep = (text: string): string => {
    let kept = '';
    for (const character of text) {
      if (!plain.startsWith(character, at)) continue;
      kept += character;
      at += character.length;
    }
    return kept;
  };
  return parts.map((part) => ({ ...part, text: keep(part.text) })).filter(({ text }) => text !== '');
}
