import type { Message } from '@maru/client/conversation';
import { Component, createRef } from 'preact';
import { ReplyMark, RowExtras } from '../conversation/row-extras.tsx';
import type { Catalogue } from '../i18n/en.ts';
import { wordsOfError } from '../i18n/errors.ts';
import { MoreIcon } from '../icons.tsx';
import { isMentioned } from '../model/mentions.ts';
import type { Names } from '../model/names.ts';
import type { Row } from '../model/rows.ts';
import { Avatar } from './avatar.tsx';

export interface Formats {
  time: Intl.DateTimeFormat;
  /** Digits only, for the narrow margin. */
  short: Intl.DateTimeFormat;
  full: Intl.DateTimeFormat;
}

/** What a reader does with messages. MUST stay the same object, or all rows render again. */
export interface RowActions {
  onRetry: (clientMsgId: string) => void;
  onDiscard: (clientMsgId: string) => void;
  onMenu: (message: Message) => void;
  onReact: (seq: number, emoji: string, active: boolean) => void;
  onThread: (root: number) => void;
}

export interface MessageRowProps {
  row: Extract<Row, { kind: 'message' | 'outgoing' }>;
  author: { id: string; name: string };
  ownId: string;
  /** Sending messages wait for a connection. */
  isWaiting: boolean;
  formats: Formats;
  names: Names;
  t: Catalogue;
  actions: RowActions;
  /** The Tab key stops at this row's menu. */
  isMenuStop: boolean;
  /** The message to which this one replies, if it is loaded. */
  replyTo?: Message | null;
  readBy?: number;
  isInThread?: boolean;
}

/**
 * A row renders only if something in it changed: a new message must not render five hundred rows.
 */
export class MessageRow extends Component<MessageRowProps> {
  #element = createRef<HTMLLIElement>();

  override shouldComponentUpdate(next: MessageRowProps): boolean {
    const { row, author } = this.props;
    const same = ['t', 'formats', 'actions', 'isMenuStop', 'replyTo', 'readBy', 'isInThread'] as const;
    if (same.some((name) => next[name] !== this.props[name]) || next.author.name !== author.name) return true;
    if (next.row.kind !== row.kind || next.row.continues !== row.continues) return true;
    if (next.row.message !== row.message) return true;
    return row.kind === 'outgoing' && next.isWaiting !== this.props.isWaiting;
  }

  override getSnapshotBeforeUpdate(): boolean {
    return this.#element.current?.contains(document.activeElement) ?? false;
  }

  /** If the button with the focus is gone, for example a removed reaction, the row keeps it. */
  override componentDidUpdate(_props: MessageRowProps, _state: unknown, hadFocus: boolean): void {
    const element = this.#element.current;
    if (!hadFocus || element === null || element.contains(document.activeElement)) return;
    const next = element.querySelector<HTMLElement>('.row-menu') ?? element.closest<HTMLElement>('[tabindex="0"]');
    next?.focus();
  }

  override render() {
    const { row, author, ownId, formats, t, actions, isMenuStop, isInThread = false } = this.props;
    const stored = row.kind === 'message' ? row.message : null;
    const ts = row.kind === 'message' ? row.message.ts : row.message.queuedAtMs;
    const isOwn = author.id === ownId;
    const isForMe = stored !== null && stored.deleted === null && isMentioned(stored.mentions, ownId) && !isOwn;
    const classes = [isOwn && 'own', row.continues && 'continues', isForMe && 'for-me'].filter(Boolean);
    return (
      <li
        ref={this.#element}
        class={['message', ...classes].join(' ')}
        data-testid={isInThread ? 'reply' : 'message'}
        data-seq={stored?.seq ?? ''}
        data-state={row.kind === 'message' ? 'stored' : row.message.state.kind}
        data-own={isOwn}
        data-deleted={stored?.deleted ? true : undefined}
      >
        <div class="message-side">
          {row.continues ? (
            <time class="side-time" dateTime={new Date(ts).toISOString()} title={formats.full.format(ts)}>
              {formats.short.format(ts)}
            </time>
          ) : (
            <Avatar id={author.id} name={author.name} />
          )}
        </div>
        <div class="message-body">
          <Head {...this.props} ts={ts} isOwn={isOwn} />
          <Text {...this.props} />
          {row.kind === 'outgoing' && <Fate {...this.props} message={row.message} />}
          {stored !== null && <Extras {...this.props} message={stored} isForMe={isForMe} />}
        </div>
        {stored !== null && (
          <button
            type="button"
            class="icon-button row-menu"
            data-testid="message-menu"
            aria-label={t.messageMenu(author.name)}
            title={t.messageMenu(author.name)}
            aria-haspopup="dialog"
            tabIndex={isMenuStop ? 0 : -1}
            onClick={() => actions.onMenu(stored)}
          >
            <MoreIcon />
          </button>
        )}
      </li>
    );
  }
}

function Head({ row, author, ts, isOwn, formats, t }: MessageRowProps & { ts: number; isOwn: boolean }) {
  return (
    <p class={row.continues ? 'sr-only' : 'message-head'}>
      <span class="author">
        <bdi>{author.name}</bdi>
      </span>
      {isOwn && <span class="you">{t.you}</span>}
      {!row.continues && (
        <time dateTime={new Date(ts).toISOString()} title={formats.full.format(ts)}>
          {formats.time.format(ts)}
        </time>
      )}
    </p>
  );
}

function Text({ row, replyTo = null, isInThread = false, t, actions }: MessageRowProps) {
  const { text, thread } = row.message;
  const deleted = row.kind === 'message' ? row.message.deleted : null;
  const words = row.kind === 'message' && deleted?.by !== row.message.from.id ? t.deletedByOther : t.deleted;
  return (
    <>
      {typeof thread === 'number' && !isInThread && (
        <ReplyMark root={thread} replyTo={replyTo} t={t} onThread={actions.onThread} />
      )}
      {deleted === null ? (
        <p class="text" dir="auto">
          {text}
        </p>
      ) : (
        <p class="text deleted">{words}</p>
      )}
    </>
  );
}

function Extras(props: MessageRowProps & { message: Message; isForMe: boolean }) {
  const { message, names, t, actions, readBy = 0, isInThread = false, isForMe } = props;
  return (
    <RowExtras
      {...{ message, names, t, readBy, isInThread }}
      isMentioned={isForMe}
      onReact={actions.onReact}
      onThread={actions.onThread}
    />
  );
}

type FateProps = MessageRowProps & { message: Extract<Row, { kind: 'outgoing' }>['message'] };

/** The state of an own message, in words, until its entry arrives. */
function Fate({ message, isWaiting, t, actions }: FateProps) {
  if (message.state.kind !== 'failed') {
    if (message.state.kind === 'stored') return <p class="fate">{t.stored}</p>;
    return <p class="fate">{isWaiting ? t.waiting : t.sending}</p>;
  }
  return (
    <p class="fate fate-failed" role="alert">
      <span>
        {t.failed} · {wordsOfError(t, message.state.error.code)}
      </span>
      <button
        type="button"
        class="link-button"
        data-testid="retry-button"
        onClick={() => actions.onRetry(message.clientMsgId)}
      >
        {t.retry}
      </button>
      <button
        type="button"
        class="link-button"
        data-testid="discard-button"
        onClick={() => actions.onDiscard(message.clientMsgId)}
      >
        {t.discard}
      </button>
    </p>
  );
}
