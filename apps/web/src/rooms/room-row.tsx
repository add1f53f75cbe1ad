/** One row of the room list. */
import { Component } from 'preact';
import { useWords } from '../i18n/index.ts';
import { IconButton } from '../icon-button.tsx';
import { LockIcon, MoreIcon, PencilIcon } from '../icons.tsx';
import { isOtherTab, pathOfRoom } from '../model/route.ts';
import type { RoomRow } from './rows.ts';

export interface RoomRowProps {
  row: RoomRow;
  isOpen: boolean;
  /** This row is the Tab stop of the list. Arrow keys move between rows. */
  isStop: boolean;
  onGo: (room: string) => void;
  onMenu: (row: RoomRow, at: HTMLElement) => void;
}

const isSameRow = (one: RoomRow, other: RoomRow): boolean =>
  (Object.keys(one) as Array<keyof RoomRow>).every((key) => one[key] === other[key]);

/** Renders only if something in it has changed. A new message must not render 500 rows. */
export class RoomRowItem extends Component<RoomRowProps> {
  override shouldComponentUpdate({ row, ...next }: RoomRowProps): boolean {
    const { row: shown, ...now } = this.props;
    if (!isSameRow(row, shown)) return true;
    return (Object.keys(next) as Array<keyof typeof next>).some((key) => next[key] !== now[key]);
  }

  override render() {
    return <RowView {...this.props} />;
  }
}

function RowView({ row, isOpen, isStop, onGo, onMenu }: RoomRowProps) {
  const { t } = useWords();
  const { room, kind, unread, mentions, notify } = row;
  const name = kind === 'private' && row.name === room ? t.privateRoom : row.name;
  const isNew = unread + mentions > 0;
  return (
    <li class="room-item" data-testid={notify === null ? 'visited-room' : 'my-room'} data-room={room}>
      <a
        class={isNew ? 'room-link has-unread' : 'room-link'}
        href={pathOfRoom(room)}
        aria-current={isOpen ? 'page' : undefined}
        title={room}
        tabIndex={isStop ? 0 : -1}
        onClick={(event) => {
          if (isOtherTab(event)) return;
          event.preventDefault();
          onGo(room);
        }}
        onContextMenu={(event) => {
          event.preventDefault();
          onMenu(row, event.currentTarget);
        }}
      >
        <RoomKind kind={kind} />
        <span class="room-lines">
          <span class="room-head">
            <span class="room-name">
              <bdi>{name}</bdi>
            </span>
            {row.hasDraft && (
              <span class="draft-mark" data-testid="draft-mark" title={t.hasDraft}>
                <PencilIcon />
                <span class="sr-only">{t.hasDraft}</span>
              </span>
            )}
            <Count count={mentions} shown={`@${mentions}`} words={t.mentionCount} testId="mention-count" />
            <Count count={unread} shown={String(unread)} words={t.newCount} testId="unread-count" />
          </span>
          <LastLine {...row} />
        </span>
      </a>
      <IconButton
        class="room-menu"
        data-testid="room-menu"
        label={t.menuOfRoom(name)}
        aria-haspopup="menu"
        tabIndex={-1}
        onClick={(event) => onMenu(row, event.currentTarget)}
      >
        <MoreIcon />
      </IconButton>
    </li>
  );
}

function RoomKind({ kind }: Pick<RoomRow, 'kind'>) {
  const { t } = useWords();
  if (kind === 'person') return null;
  if (kind === 'public') {
    return (
      <span class="hash" aria-hidden="true">
        #
      </span>
    );
  }
  return (
    <span class="hash" title={t.privateRoom}>
      <LockIcon />
      <span class="sr-only">{t.privateRoom}</span>
    </span>
  );
}

function LastLine({ lastAuthor, lastText, isLastOwn, isLastDeleted }: RoomRow) {
  const { t } = useWords();
  if (lastText === '' && !isLastDeleted) return null;
  const author = isLastOwn ? t.you : lastAuthor;
  return (
    <span class="room-last">
      {author !== '' && (
        <>
          <bdi>{author}</bdi>
          {': '}
        </>
      )}
      <bdi>{isLastDeleted ? t.deleted : lastText}</bdi>
    </span>
  );
}

interface CountProps {
  count: number;
  shown: string;
  words: (count: number) => string;
  testId: string;
}

function Count({ count, shown, words, testId }: CountProps) {
  if (count === 0) return null;
  return (
    <span class="badge" data-testid={testId} data-count={count} title={words(count)}>
      <span aria-hidden="true">{shown}</span>
      <span class="sr-only">{words(count)}</span>
    </span>
  );
}
