/** Maps a key to a change of the line or to an act. Pure, except for the acts. */

import type { Line } from './editor.ts';
import * as editor from './editor.ts';
import { safeText } from './safe-text.ts';

/** The used part of Ink's key type. */
export interface Key {
  upArrow: boolean;
  leftArrow: boolean;
  rightArrow: boolean;
  pageUp: boolean;
  pageDown: boolean;
  home?: boolean;
  end?: boolean;
  return: boolean;
  escape: boolean;
  ctrl: boolean;
  meta: boolean;
  tab: boolean;
  backspace: boolean;
  delete: boolean;
}

/**
 * What a key can start, other than a change of the line. `scroll`: number of screens; positive is
 * towards older messages.
 */
export type Act =
  | { kind: 'submit' | 'cancel' | 'edit-last' | 'next-unread' | 'exit' }
  | { kind: 'scroll'; pages: number };

export type Step = { line: Line } | { act: Act };

const WITH_CONTROL: Record<string, (line: Line) => Line> = {
  a: editor.toStart,
  e: editor.toEnd,
  u: editor.deleteToStart,
  w: editor.deleteWord,
};

export function stepOf(line: Line, input: string, key: Key): Step {
  if (key.ctrl) {
    if (input === 'c') return { act: { kind: 'exit' } };
    if (input === 'n') return { act: { kind: 'next-unread' } };
    return { line: WITH_CONTROL[input]?.(line) ?? line };
  }
  if (key.return) return key.meta ? { line: editor.insert(line, '\n') } : { act: { kind: 'submit' } };
  if (key.escape) return { act: { kind: 'cancel' } };
  if (key.pageUp) return { act: { kind: 'scroll', pages: 1 } };
  if (key.pageDown) return { act: { kind: 'scroll', pages: -1 } };
  if (key.upArrow) return line.text === '' ? { act: { kind: 'edit-last' } } : { line };
  return { line: moved(line, key) ?? (key.tab ? line : editor.insert(line, safeText(input))) };
}

function moved(line: Line, key: Key): Line | null {
  if (key.leftArrow) return editor.left(line);
  if (key.rightArrow) return editor.right(line);
  if (key.home) return editor.toStart(line);
  if (key.end) return editor.toEnd(line);
  // Terminals send DEL for Backspace.
  if (key.backspace || key.delete) return editor.backspace(line);
  return null;
}

const NO_KEY: Key = {
  upArrow: false,
  leftArrow: false,
  rightArrow: false,
  pageUp: false,
  pageDown: false,
  return: false,
  escape: false,
  ctrl: false,
  meta: false,
  tab: false,
  backspace: false,
  delete: false,
};

/** Fast typing can arrive as one input with several line ends. Each line end is the Enter key. */
export function keysOf(input: string, key: Key): Array<{ input: string; key: Key }> {
  if (input.length < 2 || !input.includes('\r')) return [{ input, key }];
  return input
    .split(/(\r)/)
    .filter((part) => part !== '')
    .map((part) => (part === '\r' ? { input: '', key: { ...NO_KEY, return: true } } : { input: part, key: NO_KEY }));
}

/** Line ends in a pasted text do not send it. */
export const pasted = (line: Line, text: string): Line =>
  editor.insert(line, safeText(text.replace(/\r\n?/g, '\n').trimEnd()));
