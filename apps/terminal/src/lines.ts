/** Formats a conversation for the screen: lines of at most `width` columns. Pure. */
import type { OutgoingMessage } from '@maru/client';
import type { ConversationView, Message } from '@maru/client/conversation';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { safeLine, safeText } from './safe-text.ts';

export interface ShownLine {
  key: string;
  text: string;
  tone: 'plain' | 'dim' | 'own' | 'mark' | 'bad';
}

export interface LinesOptions {
  width: number;
  ownId: string;
  /** Formats a time, for example 09:41. */
  timeOf: (ts: number) => string;
  /** Formats the day of a time. */
  dayOf: (ts: number) => string;
}

/** Indents continued lines, so they begin below the text of the first line. */
const INDENT = '      ';
const WIDTH_MIN = 20;

export function linesOf(view: ConversationView, options: LinesOptions): ShownLine[] {
  const lines: ShownLine[] = [];
  let day = '';
  for (const message of view.messages) {
    const today = options.dayOf(message.ts);
    if (today !== day) lines.push({ key: `day ${message.seq}`, text: `── ${today} ──`, tone: 'dim' });
    day = today;
    if (message.seq === view.unreadLine) lines.push({ key: 'unread', text: '── new messages ──', tone: 'mark' });
    lines.push(...linesOfMessage(message, options));
  }
  if (view.hasNewer) lines.push({ key: 'newer', text: '… newer messages: /newest', tone: 'dim' });
  else for (const message of view.outgoing) lines.push(...linesOfOutgoing(message, options));
  return lines;
}

function linesOfMessage(message: Message, options: LinesOptions): ShownLine[] {
  const { seq, from, text, deleted, edited, thread, replies, reactions, pinned } = message;
  const isOwn = from.id === options.ownId;
  const marks = [
    ...(edited === null ? [] : ['edited']),
    ...(pinned ? ['pinned'] : []),
    ...(replies === null ? [] : [`${replies.n} ${replies.n === 1 ? 'reply' : 'replies'}`]),
    ...reactions.map(({ emoji, count }) => `${safeLine(emoji)} ${count}`),
  ];
  const body = deleted === null ? safeText(text) : '(deleted)';
  const end = marks.length === 0 ? '' : ` [${marks.join(' · ')}]`;
  const start = `${options.timeOf(message.ts)} ${thread === null ? '' : '↳ '}${safeLine(from.name)}: `;
  const tone = deleted !== null ? 'dim' : isForUser(message, options.ownId) ? 'mark' : isOwn ? 'own' : 'plain';
  return wrapped(`${start}${body}${end}`, options.width).map((line, index) => ({
    key: `${seq} ${index}`,
    text: line,
    tone,
  }));
}

const isForUser = ({ mentions, from }: Message, ownId: string): boolean =>
  from.id !== ownId && (mentions.includes(ownId) || mentions.includes('@room'));

function linesOfOutgoing(
  { clientMsgId, text, queuedAtMs, state }: OutgoingMessage,
  options: LinesOptions,
): ShownLine[] {
  const fate = state.kind === 'failed' ? `not sent: ${state.error.message}` : state.kind === 'stored' ? '' : 'sending';
  const body = `${options.timeOf(queuedAtMs)} you: ${safeText(text)}${fate === '' ? '' : ` [${fate}]`}`;
  return wrapped(body, options.width).map((line, index) => ({
    key: `${clientMsgId} ${index}`,
    text: line,
    tone: state.kind === 'failed' ? 'bad' : 'dim',
  }));
}

/** Wraps a text. Wide characters, such as Korean ones, take two columns. */
export function wrapped(text: string, width: number): string[] {
  const inner = Math.max(WIDTH_MIN, width) - stringWidth(INDENT);
  return text
    .split('\n')
    .flatMap((part) => wrapAnsi(part, inner, { hard: true, trim: false }).split('\n'))
    .map((line, index) => (index === 0 ? line : INDENT + line));
}

/** Cuts a text to the width, with a mark at the end. */
export function fitted(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let shown = '';
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)) {
    if (stringWidth(shown + segment) > width - 1) break;
    shown += segment;
  }
  return `${shown}…`;
}
