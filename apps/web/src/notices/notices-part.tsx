/** Informs the reader about new messages: icon, desktop notification, sound. Renders nothing. */
import { systemScheduler } from '@maru/client';
import { useEffect, useRef } from 'preact/hooks';
import logoUrl from '../assets/logo.svg';
import logo from '../assets/logo.svg?raw';
import { isPageLookedAt, useSelected } from '../hooks.ts';
import { useSection } from '../i18n/index.ts';
import { nameOfMyRoom } from '../model/room-name.ts';
import { usePreferenceStore } from '../settings/use-preferences.ts';
import type { RoomStore } from '../workspace/room-store.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { Attention } from './attention.ts';
import { createDesktop } from './desktop.ts';
import { showIcon } from './icon.ts';
import { becomeLeader } from './leader.ts';
import { createNotices } from './notices.ts';
import { playSound } from './sound.ts';
import { createTeller, SUMMARY_TAG, type TellerOptions } from './teller.ts';
import { useAttention } from './use-attention.tsx';

export interface NoticesProps {
  workspace: Workspace;
  ownId: string;
  /** The room on the screen. */
  store: RoomStore | null;
  onGo: (address: { room: string; seq: number | null }) => void;
}

const NOTHING: Attention = { count: 0, hasOthers: false };

export function Notices(props: NoticesProps): null {
  const attention = useAttention(props.workspace, props.store);
  useEffect(() => showIcon(logo, logoUrl, attention), [attention]);
  useEffect(() => () => showIcon(logo, logoUrl, NOTHING), []);
  useNews(props);
  return null;
}

function useNews({ workspace, ownId, store, onGo }: NoticesProps): void {
  const preferences = usePreferenceStore();
  const words = useSection('notices');
  const now = useRef({ words, onGo });
  now.current = { words, onGo };
  const desktop = useRef<ReturnType<typeof createDesktop> | null>(null);
  useEffect(() => {
    const shown = createDesktop(logoUrl);
    desktop.current = shown;
    const leader = becomeLeader(`maru.notices ${ownId}`, navigator.locks);
    const options: TellerOptions = {
      ...{ desktop: shown, leader, preferences, playSound },
      words: () => now.current.words,
      nameOf: (room) => {
        const mine = workspace.conversations.myRooms.room(room);
        return mine === null
          ? { name: room, isPerson: room.startsWith('d-') }
          : nameOfMyRoom(mine, workspace.known.current);
      },
      onOpen: (room, seq) => {
        if (room !== null) now.current.onGo({ room, seq: seq || null });
      },
    };
    const { client, conversations, rooms, ownStatus } = workspace;
    const notices = createNotices({
      ...{ client, ownId, preferences, scheduler: systemScheduler, isPageLookedAt },
      myRooms: conversations.myRooms,
      status: () => ownStatus.get().status,
      isLookedAt: (room) => rooms.get()?.room === room && rooms.get()?.isReading === true && isPageLookedAt(),
      teller: createTeller(options),
    });
    const onFocus = () => shown.close(SUMMARY_TAG);
    addEventListener('focus', onFocus);
    return () => {
      removeEventListener('focus', onFocus);
      notices.close();
      leader.close();
      shown.closeAll();
    };
  }, [workspace, ownId, preferences]);
  // Also for a room that is not in the list.
  const readRoom = useSelected(store ?? NO_ROOM, (view) => (view?.list.unread === 0 ? store?.room : undefined));
  useEffect(() => {
    if (readRoom !== undefined) desktop.current?.close(readRoom);
  }, [readRoom]);
}

const NO_ROOM = { get: () => null, subscribe: () => () => {} };
