/** Parses a line of the prompt. Pure. */
import { isRoomId } from '@maru/client';

export type Command =
  | { kind: 'send'; text: string }
  | { kind: 'edit'; text: string }
  | { kind: 'search'; words: string }
  | { kind: 'join' | 'create'; room: string }
  | { kind: 'delete' | 'rooms' | 'who' | 'help' | 'quit' | 'newest' }
  /** `problem` is the error text for the user. */
  | { kind: 'none'; problem: string };

export const HELP_LINES = [
  '/rooms               your rooms, with unread messages     /join ROOM     go to a room',
  '/who                 who is online here                   /create ROOM   make a public room',
  '/search WORDS        find messages of this room           /edit TEXT     change your last message',
  '/newest              go to the newest message             /delete        delete your last message',
  '/quit                leave, as Ctrl+C                     //text         send a text that begins with /',
  'PageUp and PageDown scroll · Up in an empty line edits your last message · Ctrl+N goes to the next unread room',
  'Alt+Enter begins a new line · Ctrl+U deletes the line · Ctrl+W deletes a word · Escape cancels',
];

const PLAIN = ['delete', 'rooms', 'who', 'help', 'quit', 'newest'] as const;
const isPlain = (name: string): name is (typeof PLAIN)[number] => (PLAIN as readonly string[]).includes(name);

export function commandOf(line: string): Command {
  const text = line.trim();
  if (text === '') return { kind: 'none', problem: '' };
  if (text.startsWith('//')) return { kind: 'send', text: text.slice(1) };
  if (!text.startsWith('/')) return { kind: 'send', text };
  const [, name = '', rest = ''] = /^\/(\S*)\s*([\s\S]*)$/.exec(text) ?? [];
  if (isPlain(name)) return { kind: name };
  switch (name) {
    case 'join':
    case 'create': {
      const room = rest.trim().replace(/^#/, '').toLowerCase();
      return isRoomId(room) ? { kind: name, room } : { kind: 'none', problem: `/${name} needs the id of a room` };
    }
    case 'search':
      return rest === '' ? { kind: 'none', problem: '/search needs words' } : { kind: 'search', words: rest };
    case 'edit':
      return rest === '' ? { kind: 'none', problem: '/edit needs a text' } : { kind: 'edit', text: rest };
    default:
      return {
        kind: 'none',
        problem: `/${name} is no command: /help lists them, and // sends a text that begins with /`,
      };
  }
}
