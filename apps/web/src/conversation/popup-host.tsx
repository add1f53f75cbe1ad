import type { Section } from '../i18n/catalogue.ts';
import { LazyDialog } from '../lazy-dialog.tsx';
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
    return <LazyDialog key="emoji" load={loadEmoji} words={EMOJI_WORDS} given={{ ...props, popup }} />;
  return <LazyDialog key="other" load={loadPopup} words={WORDS} given={{ ...props, popup }} />;
}
