/** Examples of supported markup, for the list of shortcuts. */

export type FormatName = 'bold' | 'italics' | 'strikethrough' | 'code' | 'codeBlock' | 'quote' | 'list' | 'link';

export const FORMATS: ReadonlyArray<{ name: FormatName; example: string }> = [
  { name: 'bold', example: '**…**' },
  { name: 'italics', example: '*…*' },
  { name: 'strikethrough', example: '~~…~~' },
  { name: 'code', example: '`…`' },
  { name: 'codeBlock', example: '```\n…\n```' },
  { name: 'quote', example: '> …' },
  { name: 'list', example: '- …' },
  { name: 'link', example: '[…](https://…)' },
];
