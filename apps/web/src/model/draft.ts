/**
 * `own` becomes `next` in a draft to which the text of another tab was added. The own text is the
 * last one, so that the caret stays at its end.
 */
export function besideOthers(next: string, own: string, draft: string): string {
  const others = own === '' ? draft : `\n${draft}\n`.replace(`\n${own}\n`, '\n').trim();
  return next === '' ? others : `${others}\n${next}`;
}
