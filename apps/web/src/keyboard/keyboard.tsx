/** Keyboard shortcuts, skip links, and the list of shortcuts. */
import { useCallback, useContext, useEffect, useState } from 'preact/hooks';
import { useWords } from '../i18n/index.ts';
import { LazyDialog } from '../lazy-dialog.tsx';
import { nextRoom } from '../model/next-room.ts';
import type { RoomRow } from '../rooms/rows.ts';
import { OpenSettingsContext } from '../settings/settings-host.tsx';
import { guardFocus } from './focus-guard.ts';
import { focusRegion, moveRegion, type Region } from './regions.ts';
import { useShortcut } from './use-shortcut.ts';

const loadDialog = () => import('./shortcut-dialog.tsx').then(({ ShortcutDialog }) => ShortcutDialog);
const toNextRegion = () => moveRegion(1);
const toPreviousRegion = () => moveRegion(-1);

export interface KeyboardProps {
  /** The open room. */
  room: string;
  /** The rooms in the order of the list. */
  rooms: () => readonly RoomRow[];
  onGoToRoom: (room: string) => void;
}

export function Keyboard(props: KeyboardProps) {
  useShortcut('settings', useContext(OpenSettingsContext));
  useShortcut('nextRegion', toNextRegion);
  useShortcut('previousRegion', toPreviousRegion);
  useEffect(guardFocus, []);
  return (
    <>
      <SkipLinks />
      <RoomKeys {...props} />
      <ShortcutHost />
    </>
  );
}

function RoomKeys({ room, rooms, onGoToRoom }: KeyboardProps): null {
  const go = (step: 1 | -1, unreadOnly: boolean) => () => {
    const stops = rooms().map((row) => ({ room: row.room, isUnread: row.unread + row.mentions > 0 }));
    const to = nextRoom(stops, room, { step, unreadOnly });
    if (to !== null) onGoToRoom(to);
  };
  useShortcut('nextRoom', go(1, false));
  useShortcut('previousRoom', go(-1, false));
  useShortcut('nextUnread', go(1, true));
  useShortcut('previousUnread', go(-1, true));
  return null;
}

/** Skip links: the first Tab stops, visible only while focused. */
function SkipLinks() {
  const { t } = useWords();
  const link = (region: Region, words: string) => (
    <a
      class="skip-link"
      href={`#${region}`}
      onClick={(event) => {
        event.preventDefault();
        focusRegion(region);
      }}
    >
      {words}
    </a>
  );
  return (
    <nav class="skip-links" aria-label={t.skipLinks}>
      {link('messages', t.skipToMessages)}
      {link('composer', t.skipToComposer)}
    </nav>
  );
}

function ShortcutHost() {
  /** How often it was opened. Zero while it is closed. */
  const [opened, setOpened] = useState(0);
  const close = useCallback(() => setOpened(0), []);
  useShortcut('shortcuts', () => setOpened(opened + 1));
  const given = opened > 0 ? { onClose: close } : null;
  return <LazyDialog key={opened} load={loadDialog} words={['shortcuts']} given={given} />;
}
