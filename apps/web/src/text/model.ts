/** A formatted text as plain data. The parser produces it, and views turn it into elements. */

export interface LinkTarget {
  /** Only `http:`, `https:` or `mailto:`. */
  href: string;
  /** The real host, if the visible text does not contain it. */
  host: string | null;
}

export type Inline =
  | string
  | { kind: 'strong' | 'em' | 'del'; children: Inline[] }
  | { kind: 'code'; text: string }
  | { kind: 'link'; target: LinkTarget; children: Inline[] };

export interface ListItem {
  /** Null means a bullet. */
  number: number | null;
  children: Block[];
}

export type Block =
  /** Lines as typed, with line breaks and spaces. */
  | { kind: 'lines'; children: Inline[] }
  | { kind: 'quote'; children: Block[] }
  | { kind: 'list'; isNumbered: boolean; items: ListItem[] }
  | { kind: 'code'; language: string | null; text: string };

/** The visible text of an inline part. */
export const shownText = (part: Inline): string =>
  typeof part === 'string' ? part : part.kind === 'code' ? part.text : part.children.map(shownText).join('');
