import type { OutgoingState } from '@maru/client';
import type { Message } from '@maru/client/conversation';
import type { ErrorCode } from '@maru/protocol/errors';
import { Component, createRef } from 'preact';
import { EditHost } from '../conversation/edit-host.tsx';
import { ReplyMark, RowExtras } from '../conversation/row-extras.tsx';
import { RowTools, Undo } from '../conversation/row-tools.tsx';
import type { MessageActs } from '../conversation/use-acts.ts';
import type { Catalogue } from '../i18n/catalogue.ts';
import { wordsOfError } from '../i18n/errors.ts';
import { CheckIcon, ClockIcon } from '../icons.tsx';
import { isMentioned } from '../model/mentions.ts';
import type { Names } from '../model/names.ts';
import type { Row } from '../model/rows.ts';
import { MessageText } from '../text/message-text.tsx';
import { Avatar } from './avatar.tsx';

export interface Formats {
  time: Intl.DateTimeFormat;
  /** A time in digits only, because the margin is narrow. */
  short: Intl.DateTimeFormat;
  full: Intl.DateTimeFormat;
}

export interface MessageRowProps {
  row: Extract<Row, { kind: 'message' | 'outgoing' }>;
  author: { id: string; name: string };
  ownId: string;
  /** Messages are not being sent because there is no connection. */
  isWaiting: boolean;
  formats: Formats;
  names: Names;
  t: Catalogue;
  actions: MessageActs;
  /** This row's menu is the Tab stop of the list. */
  isMenuStop: boolean;
  /** The reader jumped to this message. */
  isPlace?: boolean;
  /** The message that this one replies to, if it is loaded. */
  replyTo?: Message | null;
  readBy?: number;
  isInThread?: boolean;
  isEditing?: boolean;
}

const SAME = [
  't',
  'formats',
  'actions',
  'isMenuStop',
  'isPlace',
  'replyTo',
  'readBy',
  'isInThread',
  'isEditing',
] as const;

/**
 * Renders only if something in the row has changed. A new message must not render all 500 rows
 * again.
 */
export class MessageRow extends Component<MessageRowProps> {
  #element = createRef<HTMLLIElement>();

  override shouldComponentUpdate(next: MessageRowProps): boolean {
    const { row, author } = this.props;
    if (SAME.some((name) => next[name] !== this.props[name]) || next.author.name !== author.name) return true;
    if (next.row.kind !== row.kind || next.row.continues !== row.continues) return true;
    if (next.row.message !== row.message) return true;
    return row.kind === 'outgoing' && next.isWaiting !== this.props.isWaiting;
  }

  override getSnapshotBeforeUpdate(): boolean {
    return this.#element.current?.contains(document.activeElement) ?? false;
  }

  /** If the focused button disappears, for example a removed reaction, the row takes the focus. */
  override componentDidUpdate(_props: MessageRowProps, _state: unknown, hadFocus: boolean): void {
    const element = this.#element.current;
    if (!hadFocus || element === null || element.contains(document.activeElement)) return;
    const next = element.querySelector<HTMLElement>('.row-menu') ?? element.closest<HTMLElement>('[tabindex="0"]');
    next?.focus();
  }

  override render() {
    const { row, author, ownId, formats, t, actions, isMenuStop, isPlace = false, isInThread = false } = this.props;
    const stored = row.kind === 'message' ? row.message : null;
    const ts = row.kind === 'message' ? row.message.ts : row.message.queuedAtMs;
    const isOwn = author.id === ownId;
    const isForMe = stored !== null && stored.deleted === null && isMentioned(stored.mentions, ownId) && !isOwn;
    const classes = [isOwn && 'own', row.continues && 'continues', isForMe && 'for-me', isPlace && 'placed'].filter(
      Boolean,
    );
    return (
      <li
        ref={this.#element}
        class={['message', ...classes].join(' ')}
        data-testid={isInThread ? 'reply' : 'message'}
        data-seq={stored?.seq ?? ''}
        data-state={row.kind === 'message' ? 'stored' : row.message.state.kind}
        data-own={isOwn}
        aria-current={isPlace ? 'location' : undefined}
        data-deleted={stored?.deleted ? true : undefined}
      >
        <div class="message-side">
          {row.continues ? (
            <time class="side-time" dateTime={new Date(ts).toISOString()} title={formats.full.format(ts)}>
              {formats.short.format(ts)}
            </time>
          ) : (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the name beside it is a button
            // biome-ignore lint/a11y/noStaticElementInteractions: a larger area for the pointer
            <span
              onClick={(event) =>
                actions.onPopup({ kind: 'person', user: author, isInThread, at: event.currentTarget })
              }
            >
              <Avatar id={author.id} name={author.name} />
            </span>
          )}
        </div>
        <div class="message-body">
          <Head {...this.props} ts={ts} isOwn={isOwn} />
          <Text {...this.props} />
          {row.kind === 'outgoing' && row.message.state.kind === 'failed' && (
            <Failure {...{ t, actions }} clientMsgId={row.message.clientMsgId} code={row.message.state.error.code} />
          )}
          {stored !== null && <Extras {...this.props} message={stored} isForMe={isForMe} />}
        </div>
        {row.kind === 'outgoing' && <StateMark {...this.props} state={row.message.state.kind} />}
        {stored?.deleted === null && <RowTools {...{ t, actions, isInThread }} message={stored} isStop={isMenuStop} />}
      </li>
    );
  }
}

function Head(props: MessageRowProps & { ts: number; isOwn: boolean }) {
  const { row, author, ts, isOwn, isInThread = false, formats, t, actions } = props;
  const name = <bdi>{author.name}</bdi>;
  return (
    <p class={row.continues ? 'sr-only' : 'message-head'}>
      {row.continues ? (
        <span>{name}</span>
      ) : (
        <button
          type="button"
          class="author"
          data-testid="author"
          aria-haspopup="dialog"
          tabIndex={-1}
          onClick={({ currentTarget: at }) => actions.onPopup({ kind: 'person', user: author, isInThread, at })}
        >
          {name}
        </button>
      )}
      {isOwn && <span class="you">{t.you}</span>}
      {!row.continues && (
        <time dateTime={new Date(ts).toISOString()} title={formats.full.format(ts)}>
          {formats.time.format(ts)}
        </time>
      )}
    </p>
  );
}

const NO_MENTIONS: readonly string[] = [];

function Text({
  row,
  replyTo = null,
  isInThread = false,
  isEditing = false,
  names,
  ownId,
  t,
  actions,
}: MessageRowProps) {
  const { text, thread, clientMsgId } = row.message;
  // Does not change when the message is stored. Messages of integrations have no client message id.
  const foldKey = clientMsgId ?? (row.kind === 'message' ? `${row.message.from.id} ${row.message.ts}` : '');
  const deleted = row.kind === 'message' ? row.message.deleted : null;
  const mentions = row.message.mentions ?? NO_MENTIONS;
  const shown = <MessageText {...{ text, names, ownId, mentions, foldKey }} />;
  const words = row.kind === 'message' && deleted?.by !== row.message.from.id ? t.deletedByOther : t.deleted;
  return (
    <>
      {typeof thread === 'number' && !isInThread && (
        <ReplyMark root={thread} replyTo={replyTo} t={t} onThread={actions.onThread} />
      )}
      {deleted !== null ? (
        <p class="text deleted">
          {words}
          {row.kind === 'message' && row.message.canUndo && <Undo seq={row.message.seq} t={t} undo={actions.undo} />}
        </p>
      ) : isEditing && row.kind === 'message' ? (
        <EditHost message={row.message} edit={actions.edit} {...{ names, ownId }}>
          {shown}
        </EditHost>
      ) : (
        shown
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
      onPopup={actions.onPopup}
    />
  );
}

/**
 * The state of an own message until it is stored. It stands beside the text, so the row height does
 * not change.
 */
function StateMark({ state, isWaiting, t }: MessageRowProps & { state: OutgoingState['kind'] }) {
  if (state === 'failed') return null;
  const words = state === 'stored' ? t.stored : isWaiting ? t.waiting : t.sending;
  return (
    <span class="state-mark" title={words}>
      {state === 'stored' ? <CheckIcon /> : <ClockIcon />}
      <span class="sr-only">{words}</span>
    </span>
  );
}

interface FailureProps extends Pick<MessageRowProps, 't' | 'actions'> {
  clientMsgId: string;
  code: ErrorCode;
}

function Failure({ clientMsgId, code, t, actions }: FailureProps) {
  return (
    <p class="fate fate-failed" role="alert">
      <span>
        {t.failed} · {wordsOfError(t, code)}
      </span>
      <button type="button" class="link-button" data-testid="retry-button" onClick={() => actions.onRetry(clientMsgId)}>
        {t.retry}
      </button>
      <button
        type="button"
        class="link-button"
        data-testid="discard-button"
        onClick={() => actions.onDiscard(clientMsgId)}
      >
        {t.discard}
      </button>
    </p>
  );
}
