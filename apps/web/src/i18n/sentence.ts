import type { ComponentChild } from 'preact';

const MARK = '\u0000';

/** Builds a sentence that contains elements, in the word order of the language. */
export function sentenceOf<Strings extends string[]>(
  say: (...strings: Strings) => string,
  ...nodes: { [K in keyof Strings]: ComponentChild }
): ComponentChild[] {
  const marks = nodes.map((_, index) => `${MARK}${index}${MARK}`) as Strings;
  return say(...marks)
    .split(MARK)
    .map((part, index) => (index % 2 === 0 ? part : nodes[Number(part)]));
}
