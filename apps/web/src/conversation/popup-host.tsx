import type { ComponentType } from 'preact';
import type { Section } from '../i18n/catalogue.ts';
import { useLazyPart } from '../lazy.ts';
import { LoadFailed } from '../load-failed.tsx';
import type { Popup } from './popup.ts';
import type { PopupProps } from './popup-props.ts';

const loadPopup = () => import('./popups.tsx').then(({ PopupView }) => PopupView);
const loadEmoji = () => import('./emoji-panel.tsx').then(({ EmojiPanel }) => EmojiPanel);
const WORDS: readonly Section[] = ['conversation'];
const EMOJI_WORDS: readonly Section[] = ['emoji'];

/** Loads the menus and popups when the first one opens. */
export function PopupHost({ popup, ...props }: Omit<PopupProps, 'popup'> & { popup: Popup | null }) {
  if (popup === null) return null;
  if (popup.kind === 'emoji')
    return <Loaded key="emoji" load={loadEmoji} words={EMOJI_WORDS} given={{ ...props, popup }} />;
  return <Loaded key="other" load={loadPopup} words={WORDS} given={{ ...props, popup }} />;
}

interface LoadedProps<P> {
  load: () => Promise<ComponentType<P>>;
  words: readonly Section[];
  given: P & { onClose: () => void };
}

function Loaded<P>({ load, words, given }: LoadedProps<P>) {
  const lazy = useLazyPart(load, words, true);
  if (lazy.kind === 'none') return null;
  if (lazy.kind === 'ready') {
    const Part = lazy.part;
    return <Part {...given} />;
  }
  return <LoadFailed retry={lazy.retry} onClose={given.onClose} />;
}
