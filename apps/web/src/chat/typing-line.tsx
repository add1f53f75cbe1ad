import { systemScheduler } from '@maru/client';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';
import { sentenceOf } from '../i18n/sentence.ts';
import { namedIds, TYPING_STEADY_MS, type Typist, type Typists } from '../model/typing.ts';

/** Its height is fixed, so the list does not jump. It has no animation. */
export function TypingLine({ typists, thread = null }: { typists: Typists; thread?: number | null }) {
  const here = useMemo(() => typists.filter((one) => one.thread === thread), [typists, thread]);
  return (
    <p class="typing" data-testid={thread === null ? 'typing' : 'thread-typing'}>
      <TypingWords typists={useSteady(here)} />
    </p>
  );
}

/**
 * Limits how often the line changes: on a remote desktop, each change costs a frame. The line
 * disappears at once when typing ends.
 */
function useSteady(typists: Typists): Typists {
  const [shown, setShown] = useState(typists);
  const changedAtMs = useRef(typists.length === 0 ? Number.NEGATIVE_INFINITY : systemScheduler.now());
  useLayoutEffect(() => {
    if (namedIds(typists) === namedIds(shown)) return;
    if (typists.length === 0) return setShown(typists);
    const show = () => {
      changedAtMs.current = systemScheduler.now();
      setShown(typists);
    };
    const waitMs = changedAtMs.current + TYPING_STEADY_MS - systemScheduler.now();
    if (waitMs <= 0) return show();
    return systemScheduler.after(waitMs, show);
  }, [typists, shown]);
  return shown;
}

const nameOf = ({ id, name }: Typist) => <bdi key={id}>{name}</bdi>;

function TypingWords({ typists }: { typists: Typists }): ComponentChildren {
  const { t } = useWords();
  const [first, second, third, fourth] = typists;
  if (first === undefined) return null;
  if (second === undefined) return sentenceOf(t.typingOne, nameOf(first));
  if (third === undefined) return sentenceOf(t.typingTwo, nameOf(first), nameOf(second));
  if (fourth === undefined) return sentenceOf(t.typingThree, nameOf(first), nameOf(second), nameOf(third));
  return t.typingMany;
}
