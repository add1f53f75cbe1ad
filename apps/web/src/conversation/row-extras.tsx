/** What others did to a message: reactions, replies, an edit, a pin, and the number of readers. */
import type { Message } from '@maru/client/conversation';
import type { Reaction } from '@maru/protocol/events';
import type { Catalogue } from '../i18n/catalogue.ts';
import { SmileIcon } from '../icons.tsx';
import { isolated } from '../model/isolated.ts';
import { type Names, nameOf } from '../model/names.ts';
import { plainText } from '../text/markup.ts';
import type { Popup } from './popup.ts';

export interface RowExtrasProps {
  message: Message;
  names: Names;
  t: Catalogue;
  /** Number of other users who have read the message. 0 shows nothing. */
  readBy: number;
  isMentioned: boolean;
  /** In a thread, no button opens the thread. */
  isInThread: boolean;
  onReact: (seq: number, emoji: string, active: boolean) => void;
  onThread: (root: number) => void;
  onPopup: (popup: Popup) => void;
}

export function RowExtras(props: RowExtrasProps) {
  const { message, names, t, readBy, isMentioned, isInThread, onReact, onThread, onPopup } = props;
  const replies = isInThread || message.deleted !== null ? null : message.replies;
  const marks = [
    ...(isMentioned ? [t.mentionsYou] : []),
    ...(message.edited !== null && message.deleted === null ? [t.edited] : []),
    ...(message.pinned ? [t.pinned] : []),
    ...(readBy > 0 ? [t.readBy(readBy)] : []),
  ];
  return (
    <>
      {marks.length > 0 && (
        <p class="fate marks" data-testid="marks">
          {marks.join(' · ')}
        </p>
      )}
      {(message.reactions.length > 0 || replies !== null) && (
        <div class="chips">
          {message.reactions.map((reaction) => (
            <Chip key={reaction.emoji} {...{ reaction, names, t }} seq={message.seq} onReact={onReact} />
          ))}
          {message.reactions.length > 0 && (
            <button
              type="button"
              class="chip"
              data-testid="add-reaction"
              aria-label={t.react}
              title={t.react}
              aria-haspopup="dialog"
              tabIndex={-1}
              onClick={(event) => onPopup({ kind: 'emoji', message, isInThread, at: event.currentTarget })}
            >
              <SmileIcon />
            </button>
          )}
          {replies !== null && (
            <button
              type="button"
              class="chip"
              data-testid="replies"
              tabIndex={-1}
              onClick={() => onThread(message.seq)}
            >
              {t.replyCount(replies.n)}
            </button>
          )}
        </div>
      )}
    </>
  );
}

interface ChipProps extends Pick<RowExtrasProps, 'names' | 't' | 'onReact'> {
  reaction: Reaction;
  seq: number;
}

/** Names only some users. The menu of the message lists all of them. */
function Chip({ reaction: { emoji, count, mine, users }, seq, names, t, onReact }: ChipProps) {
  const known = users.map((id) => isolated(nameOf(names, id))).join(', ');
  const who = t.reactedBy(`${emoji} ${count}`, known, count - users.length);
  return (
    <button
      type="button"
      class="chip"
      data-testid="reaction"
      data-emoji={emoji}
      aria-pressed={mine}
      aria-label={who}
      title={who}
      tabIndex={-1}
      onClick={() => onReact(seq, emoji, !mine)}
    >
      <span aria-hidden="true">
        {emoji} {count}
      </span>
    </button>
  );
}

/** Opens the thread of a reply that is shown in the room. */
export function ReplyMark({ root, replyTo, t, onThread }: ReplyMarkProps) {
  const name = replyTo === null ? null : `\u2068${replyTo.from.name}\u2069`;
  return (
    <p class="reply-mark">
      <button type="button" class="link-button" data-testid="thread-link" tabIndex={-1} onClick={() => onThread(root)}>
        {name === null ? t.replyInThread : t.replyTo(name)}
      </button>
      {replyTo !== null && replyTo.deleted === null && (
        <span class="reply-quote" dir="auto" aria-hidden="true">
          {plainText(replyTo.text)}
        </span>
      )}
    </p>
  );
}

interface ReplyMarkProps {
  root: number;
  /** The message that this one replies to, if it is loaded. */
  replyTo: Message | null;
  t: Catalogue;
  onThread: (root: number) => void;
}
