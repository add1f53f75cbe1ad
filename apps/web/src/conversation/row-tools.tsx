/**
 * The buttons at the end of a message row. The menu button is always in the page. The others are
 * rendered only while the pointer or the focus is in the row, because a list has many rows.
 */
import type { Message } from '@maru/client/conversation';
import { Component, createRef } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Catalogue } from '../i18n/catalogue.ts';
import { MoreIcon, ReplyIcon, SmileIcon } from '../icons.tsx';
import { FREQUENT_EMOJI } from '../model/emoji.ts';
import type { Popup, RowActions } from './popup.ts';
import type { UndoActs } from './use-acts.ts';
import './row-tools.css';
import { IconButton } from '../icon-button.tsx';

export interface RowToolsProps {
  message: Message;
  t: Catalogue;
  actions: RowActions;
  /** The menu of this row is the Tab stop of the list. Arrow keys move on from there. */
  isStop: boolean;
  isInThread: boolean;
}

export class RowTools extends Component<RowToolsProps, { isNear: boolean }> {
  override state = { isNear: false };
  #box = createRef<HTMLDivElement>();

  override shouldComponentUpdate(next: RowToolsProps, { isNear }: { isNear: boolean }): boolean {
    const { message, t, actions, isStop } = this.props;
    const isSame = next.message === message && next.t === t && next.actions === actions && next.isStop === isStop;
    return !isSame || isNear !== this.state.isNear;
  }

  override componentDidMount(): void {
    const row = this.#box.current?.closest<HTMLElement>('.message');
    if (!row) return;
    const set = (isNear: boolean) => this.setState({ isNear });
    row.addEventListener('pointerenter', ({ pointerType }) => pointerType !== 'touch' && set(true));
    row.addEventListener('pointerleave', () => set(row.contains(document.activeElement)));
    row.addEventListener('focusin', () => set(true));
    row.addEventListener('focusout', ({ relatedTarget }) => {
      set(row.matches(':hover') || row.contains(relatedTarget as Node | null));
    });
  }

  override render() {
    const { message, t, actions, isStop, isInThread } = this.props;
    const open = (kind: 'menu' | 'emoji') => (event: { currentTarget: HTMLElement }) =>
      actions.onPopup({ kind, message, isInThread, at: event.currentTarget } satisfies Popup);
    return (
      <div class="row-tools" ref={this.#box}>
        {this.state.isNear && <Quick {...this.props} onEmoji={open('emoji')} />}
        <IconButton
          key="menu"
          class="row-menu"
          data-testid="message-menu"
          label={t.messageMenu(message.from.name)}
          title={t.more}
          aria-haspopup="menu"
          tabIndex={isStop ? 0 : -1}
          onClick={open('menu')}
        >
          <MoreIcon />
        </IconButton>
      </div>
    );
  }
}

export function Undo({ seq, t, undo }: { seq: number; t: Catalogue; undo: UndoActs }) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (undo.takesFocus(seq)) button.current?.focus();
  }, [seq, undo]);
  return (
    <button
      ref={button}
      type="button"
      class="link-button undo"
      data-testid="undo"
      aria-label={t.undoDelete}
      onClick={() => undo.take(seq)}
    >
      {t.undo}
    </button>
  );
}

type QuickProps = RowToolsProps & { onEmoji: (event: { currentTarget: HTMLElement }) => void };

function Quick({ message, t, actions, isInThread, onEmoji }: QuickProps) {
  const isMine = (emoji: string) => message.reactions.some((one) => one.emoji === emoji && one.mine);
  return (
    <>
      {FREQUENT_EMOJI.map((emoji) => (
        <IconButton
          key={emoji}
          data-testid="quick-emoji"
          data-emoji={emoji}
          aria-pressed={isMine(emoji)}
          label={t.reactWith(emoji)}
          tabIndex={-1}
          onClick={() => actions.onReact(message.seq, emoji, !isMine(emoji))}
        >
          <span aria-hidden="true">{emoji}</span>
        </IconButton>
      ))}
      <IconButton data-testid="quick-react" label={t.react} aria-haspopup="dialog" tabIndex={-1} onClick={onEmoji}>
        <SmileIcon />
      </IconButton>
      {!isInThread && (
        <IconButton
          data-testid="quick-reply"
          label={t.replyAct}
          tabIndex={-1}
          onClick={() => actions.onThread(message.thread ?? message.seq)}
        >
          <ReplyIcon />
        </IconButton>
      )}
    </>
  );
}
