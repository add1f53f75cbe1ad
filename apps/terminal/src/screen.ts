/** The screen: rooms, messages, a notice, and the prompt. */
import { Box, Text, useApp, useInput, usePaste, useWindowSize } from 'ink';
import { createElement as h, useCallback, useEffect, useRef, useState } from 'react';
import type { Chat, ChatView, MessagePlace } from './chat.ts';
import { commandOf, HELP_LINES } from './commands.ts';
import { EMPTY, type Line, lineOf } from './editor.ts';
import { type Act, type Key, keysOf, pasted, stepOf } from './keys.ts';
import { fitted, linesOf, type ShownLine } from './lines.ts';
import { safeLine, safeText } from './safe-text.ts';

/** Rows that are not messages: rooms, title, notice, prompt. */
const OTHER_ROWS = 4;
const COLORS: Partial<Record<ShownLine['tone'], string>> = { own: 'green', mark: 'yellow', bad: 'red' };

export interface ScreenProps {
  chat: Chat;
  /** Calls the listener when the view of the chat may have changed. */
  subscribe: (listener: () => void) => () => void;
}

/** State of the screen outside the chat. */
interface Shown {
  line: Line;
  /** The message whose text the line holds; null: the line is a new message or a command. */
  editing: MessagePlace | null;
  panel: Panel;
  /** Number of lines below the screen. */
  scrolled: number;
}

type Panel = { kind: 'none' } | { kind: 'lines'; lines: string[] } | { kind: 'search' };

export function Screen({ chat, subscribe }: ScreenProps) {
  const { exit } = useApp();
  const { columns, rows } = useWindowSize();
  const [, redraw] = useState(0);
  /** Not a state: several keys may arrive before the next drawing. */
  const { current: now } = useRef<Shown>({ line: EMPTY, editing: null, panel: { kind: 'none' }, scrolled: 0 });
  const draw = useCallback(() => redraw((count) => count + 1), []);
  useEffect(() => subscribe(draw), [subscribe, draw]);

  leaveOtherRoom(chat, now);
  const { view } = chat;
  const { line, panel } = now;
  const isEditing = now.editing !== null;
  const height = Math.max(1, rows - OTHER_ROWS - (line.text.split('\n').length - 1));
  const all = panel.kind === 'none' ? linesOf(view.conversation, lineOptions(chat, columns)) : panelLines(chat, panel);
  const top = Math.max(0, all.length - height);
  const offset = Math.min(now.scrolled, top);
  const shown = all.slice(top - offset, top - offset + height);

  const act = actor(chat, now, { height, top, exit });
  useInput((input: string, given: Key) => {
    for (const { input: typed, key } of keysOf(input, given)) {
      leaveOtherRoom(chat, now);
      const step = stepOf(now.line, typed, key);
      if ('line' in step) now.line = step.line;
      else act(step.act);
    }
    draw();
  });
  usePaste((text: string) => {
    now.line = pasted(now.line, text);
    draw();
  });

  return h(
    Box,
    { flexDirection: 'column', width: columns, height: rows },
    h(Text, { wrap: 'truncate', dimColor: true }, roomsLine(view, columns)),
    h(Text, { wrap: 'truncate', bold: true }, fitted(titleLine(view), columns)),
    h(
      Box,
      { flexDirection: 'column', height, justifyContent: 'flex-end', overflow: 'hidden' },
      shown.map(({ key, text, tone }) =>
        h(Text, { key, wrap: 'truncate', dimColor: tone === 'dim', ...colorOf(tone) }, text === '' ? ' ' : text),
      ),
    ),
    h(Text, { wrap: 'truncate', color: 'yellow' }, fitted(noticeOf(view, isEditing, offset), columns) || ' '),
    h(Prompt, { line, isEditing }),
  );
}

/** An edit ends when its room is no longer shown: its text belongs to a message there. */
function leaveOtherRoom({ conversation }: Chat, now: Shown): void {
  if (now.editing !== null && now.editing.room !== conversation.room)
    Object.assign(now, { line: EMPTY, editing: null });
}

/** Carries out what keys begin. */
function actor(chat: Chat, now: Shown, { height, top, exit }: { height: number; top: number; exit: () => void }) {
  const reset = (line = EMPTY) => Object.assign(now, { line, editing: null, panel: { kind: 'none' }, scrolled: 0 });
  return (act: Act): void => {
    switch (act.kind) {
      case 'submit': {
        const { line, editing } = now;
        reset();
        if (editing !== null) void chat.edit(editing, line.text.trim());
        else carryOut(chat, line.text, now, exit);
        return;
      }
      case 'cancel':
        reset();
        chat.search.set({ text: '' });
        chat.say('');
        return;
      case 'edit-last': {
        const last = chat.lastOwn();
        if (last === undefined) return;
        Object.assign(now, { line: lineOf(last.text), editing: { room: chat.conversation.room, seq: last.seq } });
        return;
      }
      case 'next-unread': {
        const next = nextUnreadRoom(chat.view);
        if (next !== null) chat.show(next);
        return;
      }
      case 'scroll':
        scroll(chat, now, act.pages * Math.max(1, height - 1), top);
        return;
      case 'exit':
        exit();
    }
  };
}

function scroll({ conversation }: Chat, now: Shown, by: number, top: number): void {
  const next = Math.max(0, Math.min(Math.min(now.scrolled, top) + by, top));
  now.scrolled = next;
  if (next >= top && by > 0) conversation.loadOlder();
  if (next === 0 && by < 0) conversation.loadNewer();
  conversation.look(conversation.get().messages[0]?.seq ?? null, next === 0);
}

const colorOf = (tone: ShownLine['tone']) => {
  const color = COLORS[tone];
  return color === undefined ? {} : { color };
};

/** The caret is an inverted character, so it also works next to wide characters. */
function Prompt({ line: { text, caret }, isEditing }: { line: Line; isEditing: boolean }) {
  const rest = text.slice(caret);
  const [first = ' '] = Array.from(new Intl.Segmenter().segment(rest), ({ segment }) => segment);
  const isBreak = first === '\n' || rest === '';
  return h(
    Text,
    { wrap: 'wrap' },
    isEditing ? 'edit> ' : '> ',
    text.slice(0, caret),
    h(Text, { inverse: true }, isBreak ? ' ' : first),
    isBreak ? rest : rest.slice(first.length),
  );
}

const lineOptions = (chat: Chat, width: number) => ({
  width,
  ownId: chat.client.user?.id ?? '',
  timeOf: (ts: number) => new Date(ts).toTimeString().slice(0, 5),
  dayOf: (ts: number) => new Date(ts).toLocaleDateString(undefined, { dateStyle: 'full' }),
});

function roomsLine({ rooms, room }: ChatView, width: number): string {
  const names = rooms.map(({ room: id, title, unread, mentions }) => {
    const counts = `${unread > 0 && id !== room ? ` ${unread}` : ''}${mentions > 0 && id !== room ? ` @${mentions}` : ''}`;
    return `${id === room ? '*' : ''}${safeLine(title || id)}${counts}`;
  });
  return fitted(names.join(' │ '), width) || ' ';
}

function titleLine({ room, title, presence, connection }: ChatView): string {
  const online = presence === null ? '' : ` · ${presence.count} online`;
  return `#${room}${title === '' ? '' : ` · ${safeLine(title)}`}${online} · ${connection.state}`;
}

function noticeOf({ notice, refusal, conversation }: ChatView, isEditing: boolean, offset: number): string {
  if (refusal !== null) return `you are not in this room: ${safeLine(refusal)}`;
  if (notice !== '') return safeLine(notice);
  if (conversation.error !== null) return `older messages could not be read: ${conversation.error.message}`;
  if (isEditing) return 'Enter saves the message, Escape cancels';
  return offset > 0 ? `${offset} lines below · PageDown` : '';
}

function panelLines(chat: Chat, panel: Exclude<Panel, { kind: 'none' }>): ShownLine[] {
  const lines = panel.kind === 'lines' ? panel.lines : searchLines(chat);
  return lines.map((text, index) => ({ key: `panel ${index}`, text, tone: 'plain' }));
}

function searchLines(chat: Chat): string[] {
  const { state, hits, query } = chat.search.get();
  const found = hits.map(
    ({ ts, from, snippet }) =>
      `${new Date(ts).toLocaleString()} ${safeLine(from.name)}: ${safeLine(snippet.map(({ text }) => text).join(''))}`,
  );
  const words = {
    idle: '',
    off: 'this cluster has no archive, so it cannot search',
    searching: 'searching…',
    ready: `${hits.length} found for ${safeText(query.text)} · Escape closes`,
    failed: 'the search failed: try again later',
  }[state.kind];
  return [...found.reverse(), words];
}

function nextUnreadRoom({ rooms, room }: ChatView): string | null {
  const at = rooms.findIndex((one) => one.room === room);
  const after = [...rooms.slice(at + 1), ...rooms.slice(0, Math.max(0, at))];
  return after.find(({ unread, mentions }) => unread + mentions > 0)?.room ?? after[0]?.room ?? null;
}

function carryOut(chat: Chat, text: string, now: Shown, exit: () => void): void {
  const command = commandOf(text);
  const { view } = chat;
  const show = (lines: string[]) => {
    now.panel = { kind: 'lines', lines };
  };
  switch (command.kind) {
    case 'none':
      chat.say(command.problem);
      break;
    case 'send':
      chat.send(command.text);
      break;
    case 'edit':
      void chat.editLast(command.text);
      break;
    case 'delete':
      void chat.deleteLast();
      break;
    case 'join':
      void chat.goTo(command.room);
      break;
    case 'create':
      void chat.create(command.room);
      break;
    case 'newest':
      chat.conversation.jumpTo('newest');
      break;
    case 'search':
      chat.search.set({ text: command.words, room: view.room });
      now.panel = { kind: 'search' };
      break;
    case 'help':
      show(HELP_LINES);
      break;
    case 'rooms':
      show(view.rooms.map(roomLine));
      break;
    case 'who':
      show(peopleLines(view));
      break;
    case 'quit':
      exit();
  }
}

const roomLine = ({ room, title, unread, mentions }: ChatView['rooms'][number]): string =>
  `${room}${title === '' ? '' : ` · ${safeLine(title)}`} · ${unread} unread${mentions > 0 ? `, ${mentions} mention you` : ''}`;

function peopleLines({ presence }: ChatView): string[] {
  if (presence === null) return ['who is online is not known now'];
  if (presence.users === null) return [`${presence.count} people are online: too many to list`];
  return [...presence.users.values()].map(
    ({ name, status, text }) => `${safeLine(name)} · ${status}${text ? ` · ${safeLine(text)}` : ''}`,
  );
}
