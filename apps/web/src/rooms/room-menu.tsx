/** The menu of a room in the list. */
import { mayDo } from '@maru/client';
import type { Notify } from '@maru/protocol/events';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Anchored } from '../conversation/anchored.tsx';
import { copyText } from '../conversation/copy-text.ts';
import { onMenuKey } from '../conversation/menu-keys.ts';
import { useSection, useWords } from '../i18n/index.ts';
import { CheckIcon } from '../icons.tsx';
import { pathOfRoom } from '../model/route.ts';
import type { RoomMenuProps } from './room-menu-props.ts';
import '../conversation/popups.css';
import './room-menu.css';

interface Item {
  testId: string;
  label: string;
  /** For an item of a radio group: whether it is the selected one. */
  isChosen?: boolean;
  act: () => void;
}

export function RoomMenu(props: RoomMenuProps) {
  const { at, name, onClose } = props;
  const { t } = useWords();
  const words = useSection('rooms');
  const menu = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => menu.current?.querySelector<HTMLElement>('[role^="menuitem"]')?.focus(), []);
  const { acts, notices } = useItems(props);
  const show = ({ testId, label, isChosen, act }: Item) => (
    <button
      key={testId}
      type="button"
      {...(isChosen === undefined ? { role: 'menuitem' } : { role: 'menuitemradio', 'aria-checked': isChosen })}
      class="menu-item"
      data-testid={testId}
      tabIndex={-1}
      onClick={() => {
        onClose();
        act();
      }}
    >
      {isChosen !== undefined && <span class="menu-check">{isChosen && <CheckIcon />}</span>}
      {label}
    </button>
  );
  const label = t.menuOfRoom(name);
  return (
    <Anchored at={at} label={label} testId="room-menu-open" onClose={onClose}>
      <div class="menu" role="menu" aria-label={label} ref={menu} onKeyDown={(event) => onMenuKey(event, onClose)}>
        {acts.map(show)}
        {notices.length > 0 && (
          <>
            <p class="menu-title" aria-hidden="true">
              {words.notify}
            </p>
            {notices.map(show)}
          </>
        )}
      </div>
    </Anchored>
  );
}

const NOTICES = { all: 'notifyAll', mentions: 'notifyMentions', none: 'notifyNone' } as const satisfies Record<
  Notify,
  string
>;

function useItems({ row, workspace, onSettings, onFailed, onCopied }: RoomMenuProps): {
  acts: Item[];
  notices: Item[];
} {
  const words = useSection('rooms');
  const { client, conversations } = workspace;
  const { myRooms } = conversations;
  const { room } = row;
  const mine = myRooms.room(room);
  const details = client.details(room);
  const ownRole = details?.role ?? mine?.role ?? 'member';
  const visibility = mine?.visibility ?? 'public';
  const allows = (act: 'update' | 'invite' | 'quit') => mayDo(act, { ownRole, visibility });
  const item = (isOffered: boolean, testId: string, label: string, act: () => void): Item[] =>
    isOffered ? [{ testId, label, act }] : [];
  const run = (act: Promise<unknown>) => void act.catch(onFailed);
  const isNew = mine !== null && mine.unread + mine.mentions > 0;
  return {
    acts: [
      ...item(isNew, 'mark-read', words.markRead, () => run(myRooms.markRead(room))),
      ...item(mine === null, 'follow', words.follow, () => run(myRooms.follow(room, 'all'))),
      ...item(true, 'copy-room-link', words.copyLink, () =>
        run(copyText(`${location.origin}${pathOfRoom(room)}`).then(onCopied)),
      ),
      ...item(visibility === 'private' && allows('invite'), 'invite-people', words.invite, () =>
        onSettings(room, 'people'),
      ),
      ...item(allows('update'), 'open-settings', words.settings, () => onSettings(room, null)),
      ...item(mine !== null && visibility === 'public', 'unfollow', words.unfollow, () => run(myRooms.unfollow(room))),
      ...item(mine !== null && allows('quit'), 'quit-room', words.quit, () => onSettings(room, 'quit')),
    ],
    notices:
      mine === null
        ? []
        : (Object.keys(NOTICES) as Notify[]).map((notify) => ({
            testId: `notify-${notify}`,
            label: words[NOTICES[notify]],
            isChosen: mine.notify === notify,
            act: () => run(myRooms.follow(room, notify)),
          })),
  };
}
