/**
 * Markup functions without the parser: whether a text may have markup, and the text without its
 * markers. Pure.
 */

/** A text without these characters has no markup. A false match only costs one parse. */
const MARKUP = /[*_~`[]|https?:\/\/|mailto:|www\.|[^\s@]@[^\s@]+\.|^[ \t]*(?:[->][ \t]|\d{1,3}[.)] )/im;

export const hasMarkup = (text: string): boolean => MARKUP.test(text);

const FENCE = /^[ \t]*`{3,}[\w+#.-]*[ \t]*$/gm;
const LINE_MARKER = /^(?:[ \t]*(?:>|[-*]|\d{1,3}[.)])[ \t]+)+/gm;
const LABELLED = /\[([^[\]\n]{1,300})\]\((?:https?:|mailto:)[^\s()]*\)/gi;
/** Markers around words. The length limit keeps hostile texts cheap. */
const PAIR = /(?<![A-Za-z0-9*_~\\])(\*{1,3}|__?|~~)(?=[^\s*_~])([^\n]{0,300}?[^\s*_~])\1(?![A-Za-z0-9*_~])/g;
const CODE = /(?<!`)(`{1,3})([^`\n]{1,300})\1(?!`)/g;

/**
 * The text for previews, notifications and screen readers. It does not use the parser, so it is
 * less exact: it may keep markers of code or of deeply nested markup.
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

/**
 * The same for a text in parts, such as a snippet with highlights. A marker may extend over several
 * parts.
 */
export function plainParts<T extends { text: string }>(parts: readonly T[]): T[] {
  const plain = plainText(parts.map(({ text }) => text).join(''));
  let at = 0;
  // Characters are only removed, so the remaining ones keep their order.
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
