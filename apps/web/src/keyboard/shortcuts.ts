/**
 * All keyboard shortcuts. Handlers and the visible list are built from this table. A part with its
 * own keys, such as the message list, handles them itself; those entries are for the list only.
 */

/** `ctrl` is Control, or Command on a Mac. */
export type Chord = { ctrl?: true; alt?: true; shift?: true } & (
  | { key: string }
  /** Identifies the key by its position: with a Korean layout, the key K types a vowel. */
  | { code: string; shown: string }
);

export type Scope = 'page' | 'write' | 'messages';

interface Shortcut {
  scope: Scope;
  chords: readonly Chord[];
}

export const SHORTCUTS = {
  find: { scope: 'page', chords: [{ ctrl: true, code: 'KeyK', shown: 'K' }] },
  settings: { scope: 'page', chords: [{ ctrl: true, key: ',' }] },
  shortcuts: { scope: 'page', chords: [{ ctrl: true, key: '/' }, { key: '?' }] },
  nextRegion: { scope: 'page', chords: [{ key: 'F6' }] },
  previousRegion: { scope: 'page', chords: [{ shift: true, key: 'F6' }] },
  nextRoom: { scope: 'page', chords: [{ alt: true, key: 'ArrowDown' }] },
  previousRoom: { scope: 'page', chords: [{ alt: true, key: 'ArrowUp' }] },
  nextUnread: { scope: 'page', chords: [{ alt: true, shift: true, key: 'ArrowDown' }] },
  previousUnread: { scope: 'page', chords: [{ alt: true, shift: true, key: 'ArrowUp' }] },
  markAllRead: { scope: 'page', chords: [{ shift: true, key: 'Escape' }] },
  close: { scope: 'page', chords: [{ key: 'Escape' }] },
  send: { scope: 'write', chords: [{ key: 'Enter' }] },
  newLine: { scope: 'write', chords: [{ shift: true, key: 'Enter' }] },
  editLast: { scope: 'write', chords: [{ key: 'ArrowUp' }] },
  mention: { scope: 'write', chords: [{ key: '@' }] },
  otherMessage: { scope: 'messages', chords: [{ key: 'ArrowUp' }, { key: 'ArrowDown' }] },
  otherControl: { scope: 'messages', chords: [{ key: 'ArrowLeft' }, { key: 'ArrowRight' }] },
  messageMenu: { scope: 'messages', chords: [{ key: 'Enter' }] },
} as const satisfies Record<string, Shortcut>;

export type ShortcutId = keyof typeof SHORTCUTS;

/** Shortcuts that `useShortcut` handles. */
export type PageShortcut = {
  [Id in ShortcutId]: (typeof SHORTCUTS)[Id]['scope'] extends 'page' ? Id : never;
}[ShortcutId];

export type KeyPress = Pick<
  KeyboardEvent,
  'key' | 'code' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey' | 'isComposing'
>;

/** `isWriting`: the focus is in a field, where plain keys type text. */
export function matches(id: PageShortcut, press: KeyPress, isWriting: boolean): boolean {
  const chords: readonly Chord[] = SHORTCUTS[id].chords;
  return !press.isComposing && chords.some((chord) => isPressed(chord, press, isWriting));
}

function isPressed(chord: Chord, press: KeyPress, isWriting: boolean): boolean {
  const isCharacter = 'key' in chord && chord.key.length === 1;
  if (isCharacter && isWriting && !chord.ctrl) return false;
  if ((chord.ctrl ?? false) !== (press.ctrlKey || press.metaKey) || (chord.alt ?? false) !== press.altKey) return false;
  // Whether a character needs Shift depends on the layout, so Shift is not compared.
  if (!isCharacter && (chord.shift ?? false) !== press.shiftKey) return false;
  return 'key' in chord ? press.key === chord.key : press.code === chord.code;
}

const KEY_NAMES: Record<string, string> = {
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
};

/** The labels of the keys of a chord. */
export function keyNames(chord: Chord, isMac: boolean): string[] {
  const last = 'key' in chord ? (KEY_NAMES[chord.key] ?? chord.key) : chord.shown;
  return [
    ...(chord.ctrl ? [isMac ? '⌘' : 'Ctrl'] : []),
    ...(chord.alt ? [isMac ? '⌥' : 'Alt'] : []),
    ...(chord.shift ? ['Shift'] : []),
    last,
  ];
}
