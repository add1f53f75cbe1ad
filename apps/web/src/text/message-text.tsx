/**
 * The text of a message. A text without markup renders at once. A text with markup is shown as
 * typed until the parser is loaded. A long text is folded.
 */
import { createContext } from 'preact';
import { useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useWatched } from '../hooks.ts';
import { useWords } from '../i18n/index.ts';
import { beginningOf, createFolds, isLong } from './fold.ts';
import type { Formatted, View } from './formatted.tsx';
import { createFormatter } from './formatter.ts';
import { Marked } from './marked.tsx';
import { isJumbo, type Mentioning } from './marks.ts';
import { hasMarkup } from './markup.ts';
import './text.css';

const formatter = createFormatter<typeof Formatted>(() => import('./formatted.tsx').then((part) => part.Formatted));
// Load in parallel to the connection, so the parser is ready before the first message.
if (typeof document !== 'undefined') formatter.load();

/** Context that all texts of a page share. */
export const TextContext = createContext<{ onOpen: View['onOpen'] }>({ onOpen: null });

const folds = createFolds();

export interface MessageTextProps extends Mentioning {
  text: string;
  /** The key under which the page remembers whether the text is expanded. */
  foldKey: string;
}

export function MessageText(props: MessageTextProps) {
  return isLong(props.text) ? <LongText {...props} /> : <Body {...props} shown={props.text} />;
}

function Body({ shown, ...props }: MessageTextProps & { shown: string }) {
  return (
    <div class={isJumbo(shown) ? 'text jumbo' : 'text'} dir="auto">
      {hasMarkup(shown) ? <WithMarkup {...props} text={shown} /> : <Marked text={shown} view={props} />}
    </div>
  );
}

function WithMarkup(props: MessageTextProps) {
  const { text, mentions, names, ownId } = props;
  const { t } = useWords();
  const { onOpen } = useContext(TextContext);
  const Part = useWatched(formatter);
  useEffect(formatter.load, []);
  if (Part === null) return <Marked text={text} view={props} />;
  return <Part text={text} view={{ mentions, names, ownId, onOpen, codeLabel: t.codeBlock }} />;
}

/** The list that contains the message. A `scroll` event makes it notice that rows have moved. */
const scrollerOf = (element: HTMLElement | null): HTMLElement | null => element?.closest('[role="log"]') ?? null;

function LongText(props: MessageTextProps) {
  const { text, foldKey } = props;
  const { t } = useWords();
  const [isOpen, setOpen] = useState(() => folds.isOpen(foldKey));
  const button = useRef<HTMLButtonElement>(null);
  /** Position of the button before the click. */
  const top = useRef<number | null>(null);
  const toggle = () => {
    top.current = button.current?.getBoundingClientRect().top ?? null;
    folds.set(foldKey, !isOpen);
    setOpen(!isOpen);
  };
  useLayoutEffect(() => {
    const scroller = scrollerOf(button.current);
    if (top.current === null || scroller === null) return;
    // Text above the button disappears. Scroll so that the button stays in place.
    if (!isOpen) scroller.scrollTop += (button.current?.getBoundingClientRect().top ?? 0) - top.current;
    top.current = null;
    scroller.dispatchEvent(new Event('scroll'));
  }, [isOpen]);
  return (
    <>
      <Body {...props} shown={isOpen ? text : `${beginningOf(text)} …`} />
      <button
        type="button"
        class="link-button fold"
        data-testid="fold"
        aria-expanded={isOpen}
        ref={button}
        onClick={toggle}
      >
        {isOpen ? t.showLess : t.showMore}
      </button>
    </>
  );
}
