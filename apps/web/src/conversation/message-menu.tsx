/** The menu of a message: reactions, then all acts that the own role allows. */
import { type ActName, mayDo, type RoomDetails } from '@maru/client';
import type { Message } from '@maru/client/conversation';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { useSection, useWords } from '../i18n/index.ts';
import { OFFERED_EMOJI } from '../model/emoji.ts';
import { Anchored } from './anchored.tsx';
import { onMenuKey } from './menu-keys.ts';
import type { MessagePopup } from './popup.ts';
import type { PopupProps } from './popup-props.ts';

type MenuProps = PopupProps<MessagePopup<'menu'>>;

interface Item {
  testId: string;
  label: string;
  isDanger?: boolean;
  act: () => void;
}

export function MessageMenu(props: MenuProps) {
  const { popup, message, onClose } = withMessage(props);
  const { t } = useWords();
  const menu = useRef<HTMLDivElement>(null);
  const items = useItems({ ...props, message });
  useLayoutEffect(() => menu.current?.querySelector<HTMLElement>('[role^="menuitem"]')?.focus(), []);
  const choose = (act: () => void) => () => {
    onClose();
    act();
  };
  const label = t.messageMenu(message.from.name);
  return (
    <Anchored at={popup.at} label={label} testId="menu" onClose={onClose}>
      <div class="menu" role="menu" aria-label={label} ref={menu} onKeyDown={(event) => onMenuKey(event, onClose)}>
        <Emoji {...props} message={message} choose={choose} />
        {items.map(({ testId, label: words, isDanger = false, act }) => (
          <button
            key={testId}
            type="button"
            role="menuitem"
            class={isDanger ? 'menu-item danger' : 'menu-item'}
            data-testid={testId}
            tabIndex={-1}
            onClick={choose(act)}
          >
            {words}
          </button>
        ))}
      </div>
    </Anchored>
  );
}

/** The current message: it may have changed since the menu was opened. */
function withMessage<P extends MenuProps>(props: P): P & { message: Message } {
  const { message } = props.popup;
  return { ...props, message: props.store.conversation.message(message.seq) ?? message };
}

type Choose = (act: () => void) => () => void;

function Emoji({ message, acts, popup, choose }: MenuProps & { message: Message; choose: Choose }) {
  const { t } = useWords();
  const words = useSection('conversation');
  const isMine = (emoji: string) => message.reactions.some((one) => one.emoji === emoji && one.mine);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a group of menu items, not of fields
    <div class="menu-emoji" role="group" aria-label={t.react}>
      {OFFERED_EMOJI.map((emoji) => (
        <button
          key={emoji}
          type="button"
          role="menuitemcheckbox"
          class="menu-emoji-button"
          data-testid="offered-emoji"
          data-emoji={emoji}
          aria-checked={isMine(emoji)}
          aria-label={t.reactWith(emoji)}
          tabIndex={-1}
          onClick={choose(() => acts.onReact(message.seq, emoji, !isMine(emoji)))}
        >
          <span aria-hidden="true">{emoji}</span>
        </button>
      ))}
      <button
        type="button"
        role="menuitem"
        class="menu-emoji-button"
        data-testid="other-emoji"
        aria-label={words.otherEmoji}
        title={words.otherEmoji}
        tabIndex={-1}
        onClick={choose(() => acts.onPopup({ ...popup, message, kind: 'emoji' }))}
      >
        <span aria-hidden="true">…</span>
      </button>
    </div>
  );
}

const allowsIn = (details: RoomDetails | null, isSelf: boolean) => (act: ActName) =>
  details !== null && mayDo(act, { ownRole: details.role, isSelf, visibility: details.visibility });

function useItems({ message, popup, details, ownId, acts }: MenuProps & { message: Message }): Item[] {
  const words = useSection('conversation');
  const { isInThread } = popup;
  const { seq, from, text, thread, pinned } = message;
  const isOwn = from.id === ownId;
  const allows = allowsIn(details, isOwn);
  const item = (isOffered: boolean, testId: string, label: string, act: () => void, isDanger = false): Item[] =>
    isOffered ? [{ testId, label, act, isDanger }] : [];
  return [
    ...item(!isInThread, 'reply-in-thread', thread === null ? words.reply : words.openThread, () =>
      acts.onThread(thread ?? seq),
    ),
    ...item(allows('edit'), 'edit', words.edit, () => acts.onEdit({ seq, isInThread })),
    ...item(allows('pin'), 'pin', pinned ? words.unpin : words.pin, () => acts.onPin(seq, !pinned)),
    ...item(true, 'copy-text', words.copyText, () => acts.onCopy(text)),
    ...item(true, 'copy-link', words.copyLink, () => acts.onCopyLink(seq)),
    ...item(message.reactions.length > 0, 'show-reactors', words.reactors, () =>
      acts.onPopup({ ...popup, message, kind: 'reactors' }),
    ),
    ...item(true, 'show-person', words.profileOf(from.name), () =>
      acts.onPopup({ kind: 'person', user: from, isInThread, at: popup.at }),
    ),
    ...item(allows('report'), 'report-message', words.report, () => acts.onDialog({ view: 'report', message })),
    ...item(allows('erase'), 'delete', words.remove, () => acts.onRemove(message), true),
    ...item(!isOwn && allows('bans'), 'manage-person', words.manage(from.name), () =>
      acts.onDialog({ view: 'person', user: from }),
    ),
  ];
}
