import type { ComponentChildren } from 'preact';
import { useWords } from '../i18n/index.ts';
import type { Typists } from '../model/typing.ts';

/** Its height is fixed, so that the list does not jump. It has no animation. */
export function TypingLine({ typists, thread = null }: { typists: Typists; thread?: number | null }) {
  return (
    <p class="typing" data-testid={thread === null ? 'typing' : 'thread-typing'}>
      <TypingWords typists={typists.filter((one) => one.thread === thread)} />
    </p>
  );
}

function TypingWords({ typists }: { typists: Typists }): ComponentChildren {
  const { language, t } = useWords();
  const [first, second, third] = typists;
  // Korean puts particles directly after the name.
  const gap = language === 'ko' ? '' : ' ';
  if (first === undefined) return null;
  if (third !== undefined) return t.typingMany;
  if (second === undefined) {
    return (
      <>
        <bdi>{first.name}</bdi>
        {gap}
        {t.typingOne}
      </>
    );
  }
  return (
    <>
      <bdi>{first.name}</bdi>
      {gap}
      {t.typingTwo} <bdi>{second.name}</bdi>
      {gap}
      {t.typingTwoEnd}
    </>
  );
}
