/** Lets the user react to a message with any emoji. */
import { useLayoutEffect, useRef } from 'preact/hooks';
import { EmojiPicker } from '../emoji/picker.tsx';
import { useWords } from '../i18n/index.ts';
import { Anchored } from './anchored.tsx';
import './emoji-panel.css';
import type { MessagePopup } from './popup.ts';
import type { PopupProps } from './popup-props.ts';

export function EmojiPanel({ popup, store, acts, onClose }: PopupProps<MessagePopup<'emoji'>>) {
  const { t } = useWords();
  const panel = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => panel.current?.querySelector('input')?.focus(), []);
  const message = store.conversation.message(popup.message.seq) ?? popup.message;
  const isMine = (emoji: string) => message.reactions.some((one) => one.emoji === emoji && one.mine);
  const react = (emoji: string) => {
    onClose();
    acts.onReact(message.seq, emoji, !isMine(emoji));
  };
  return (
    <Anchored at={popup.at} label={t.react} testId="react-panel" onClose={onClose}>
      <div class="react-panel" ref={panel}>
        <EmojiPicker id="react" isPressed={isMine} onPick={react} />
      </div>
    </Anchored>
  );
}
