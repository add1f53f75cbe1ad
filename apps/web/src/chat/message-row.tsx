import type { Entry } from '@maru/protocol/events';
import { Component } from 'preact';
import type { Catalogue } from '../i18n/en.ts';
import { wordsOfError } from '../i18n/errors.ts';
import { MoreIcon } from '../icons.tsx';
import type { Row } from '../model/rows.ts';
import { Avatar } from './avatar.tsx';

export interface Formats {
  time: Intl.DateTimeFormat;
  /** Digits only, for the narrow margin. */
  short: Intl.DateTimeFormat;
  full: Intl.DateTimeFormat;
}

export interface MessageRowProps {
  row: Extract<Row, { kind: 'message' | 'outgoing' }>;
  author: { id: string; name: string };
  isOwn: boolean;
  /** Sending messages wait for a connection. */
  isWaiting: boolean;
  formats: Formats;
  t: Catalogue;
  onRetry: (clientMsgId: string) => void;
  onDiscard: (clientMsgId: string) => void;
  onMenu: (entry: Entry) => void;
  /** The Tab key stops at this row's menu. */
  isMenuStop: boolean;
}

/**
 * A row renders only if something in it changed: a new message must not render five hundred rows.
 */
export class MessageRow extends Component<MessageRowProps> {
  override shouldComponentUpdate(next: MessageRowProps): boolean {
    const { row, t, formats, author } = this.props;
    if (next.t !== t || next.formats !== formats || next.author.name !== author.name) return true;
    if (next.isMenuStop !== this.props.isMenuStop || next.onMenu !== this.props.onMenu) return true;
    if (next.row.kind !== row.kind || next.row.continues !== row.continues) return true;
    if (row.kind === 'message' && next.row.kind === 'message') return row.entry !== next.row.entry;
    if (row.kind !== 'outgoing' || next.row.kind !== 'outgoing') return false;
    return row.message !== next.row.message || next.isWaiting !== this.props.isWaiting;
  }

  override render() {
    const { row, author, isOwn, formats, t, onMenu, isMenuStop } = this.props;
    const ts = row.kind === 'message' ? row.entry.ts : row.message.queuedAtMs;
    const state = row.kind === 'message' ? 'stored' : row.message.state.kind;
    const text = row.kind === 'message' ? row.text : row.message.text;
    return (
      <li
        class={`message${isOwn ? ' own' : ''}${row.continues ? ' continues' : ''}`}
        data-testid="message"
        data-seq={row.kind === 'message' ? row.entry.seq : ''}
        data-state={state}
        data-own={isOwn}
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
          <p class="text" dir="auto">
            {text}
          </p>
          {row.kind === 'outgoing' && <Fate {...this.props} message={row.message} />}
        </div>
        {row.kind === 'message' && !isOwn && (
          <button
            type="button"
            class="icon-button row-menu"
            data-testid="message-menu"
            aria-label={t.messageMenu(author.name)}
            title={t.messageMenu(author.name)}
            aria-haspopup="dialog"
            tabIndex={isMenuStop ? 0 : -1}
            onClick={() => onMenu(row.entry)}
          >
            <MoreIcon />
          </button>
        )}
      </li>
    );
  }
}

type FateProps = MessageRowProps & { message: Extract<Row, { kind: 'outgoing' }>['message'] };

/** The state of an own message, in words, until its entry arrives. */
function Fate({ message, isWaiting, t, onRetry, onDiscard }: FateProps) {
  if (message.state.kind !== 'failed') {
    if (message.state.kind === 'stored') return <p class="fate">{t.stored}</p>;
    return <p class="fate">{isWaiting ? t.waiting : t.sending}</p>;
  }
  return (
    <p class="fate fate-failed" role="alert">
      <span>
        {t.failed} · {wordsOfError(t, message.state.error.code)}
      </span>
      <button type="button" class="link-button" data-testid="retry-button" onClick={() => onRetry(message.clientMsgId)}>
        {t.retry}
      </button>
      <button
        type="button"
        class="link-button"
        data-testid="discard-button"
        onClick={() => onDiscard(message.clientMsgId)}
      >
        {t.discard}
      </button>
    </p>
  );
}
