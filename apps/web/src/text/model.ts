/** A formatted text: what the parser made of it, as plain data. Views turn it into elements. */

export interface LinkTarget {
  /** `http:`, `https:` or `mailto:`, and nothing else. */
  href: string;
  /** The real host, if the shown text does not say it. */
  host: string | null;
}

export type Inline =
  | string
  | { kind: 'strong' | 'em' | 'del'; children: Inline[] }
  | { kind: 'code'; text: string }
  | { kind: 'link'; target: LinkTarget; children: Inline[] };

export interface ListItem {
  /** Null for a bullet. */
  number: number | null;
  children: Block[];
}

export type Block =
  /** Lines as typed: line breaks and spaces count. */
  | { kind: 'lines'; children: Inline[] }
  | { kind: 'quote'; children: Block[] }
  | { kind: 'list'; isNumbered: boolean; items: ListItem[] }
  | { kind: 'code'; language: string | null; text: string };

/** The text that an inline part shows. */
export const shownText = (part: Inline): string =>
  typeof part === 'string' ? part : part.kind === 'code' ? part.text : part.children.map(shownText).join('');
