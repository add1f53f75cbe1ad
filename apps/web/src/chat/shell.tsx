/** The page of a room: the rooms, the conversation, and people or a thread beside it. */
import type { ChatClient, ConnectionState } from '@maru/client';
import type { Conversations } from '@maru/client/conversation';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ThreadHost } from '../conversation/thread-host.tsx';
import { useMedia, useThrottled, useWatched } from '../hooks.ts';
import { wordsOfError } from '../i18n/errors.ts';
import { useWords } from '../i18n/index.ts';
import { type Names, noteNames } from '../model/names.ts';
import { nameOfMyRoom, type RoomName } from '../model/room-name.ts';
import { DialogHost } from '../moderation/dialog-host.tsx';
import type { Session } from '../session/api.ts';
import { Bar } from './bar.tsx';
import { Composer } from './composer.tsx';
import { ConnectionBanner } from './connection.tsx';
import { MessageList } from './message-list.tsx';
import { Panel } from './panel.tsx';
import { People } from './people.tsx';
import { RoomProblem } from './room-problem.tsx';
import type { RoomStore } from './room-store.ts';
import type { RoomView } from './room-view.ts';
import { Rooms } from './rooms.tsx';
import { useDialog, useDirect, usePlaces, useRowActions } from './shell-state.ts';
import { TypingLine } from './typing-line.tsx';

export interface ShellProps {
  client: ChatClient;
  conversations: Conversations;
  connection: ConnectionState;
  session: Session;
  room: string;
  store: RoomStore;
  /** Names of people of the rooms that were open. */
  known: { current: Names };
  onGoToRoom: (room: string) => void;
  onLeave: () => void;
}

function useShell(props: ShellProps) {
  const { conversations, room, store, known, session, onGoToRoom } = props;
  const view = useWatched(store);
  const mine = useThrottled(conversations.myRooms);
  useMemo(() => {
    const people = [...view.names].map(([id, name]) => ({ id, name }));
    known.current = noteNames(known.current, people);
  }, [view.names, known]);
  const [open, setOpen] = useState<'rooms' | 'people' | null>(null);
  const isInRoom = view.details !== null;
  const dialog = useDialog(isInRoom);
  const places = usePlaces(store, isInRoom);
  const goTo = (next: string) => {
    setOpen(null);
    onGoToRoom(next);
  };
  const listed = mine.rooms.find((one) => one.room === room);
  const title: RoomName = listed
    ? nameOfMyRoom(listed, known.current)
    : { name: view.details?.title || room, isPerson: view.details?.visibility === 'direct' };
  return {
    ...{ view, mine, open, setOpen, dialog, places, goTo, isInRoom },
    title: view.details?.title ? { ...title, name: view.details.title } : title,
    actions: useRowActions(store, dialog.onMessageMenu, places.setThread),
    direct: useDirect(conversations, goTo),
    ownId: session.user.id,
    isWaiting: props.connection.state !== 'connected',
  };
}

type ShellState = ReturnType<typeof useShell>;

export function Shell(props: ShellProps) {
  const { client, conversations, session, room, store, onLeave } = props;
  const shell = useShell(props);
  const { view, mine, open, setOpen, dialog, places, goTo, title } = shell;
  const { t } = useWords();
  const showsRooms = useMedia('(min-width: 70rem)');
  const showsPeople = useMedia('(min-width: 52rem)');
  useTitle(title, view.list.unread);
  return (
    <div class="shell">
      <Panel side="start" title={t.rooms} isInline={showsRooms} isOpen={open === 'rooms'} onClose={() => setOpen(null)}>
        <Rooms
          session={session}
          room={room}
          title={view.details?.title ?? ''}
          mine={mine}
          names={props.known.current}
          unread={view.list.unread}
          presentCount={view.presence?.count ?? null}
          onGoToRoom={goTo}
          onCreate={() => dialog.setTarget({ view: 'create' })}
          onLeave={onLeave}
        />
      </Panel>
      <Middle {...props} {...{ shell, showsRooms, showsPeople }} />
      <Beside {...props} {...{ shell, showsPeople }} />
      <DialogHost
        target={dialog.target}
        client={client}
        myRooms={conversations.myRooms}
        store={store}
        details={view.details}
        names={view.names}
        ownId={shell.ownId}
        onTarget={dialog.setTarget}
        onClose={dialog.closeDialog}
        onGoToRoom={goTo}
        onShowMessage={places.showMessage}
        onThread={places.setThread}
      />
    </div>
  );
}

function useTitle({ name, isPerson }: RoomName, unread: number): void {
  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ''}${isPerson ? '' : '#'}${name} · Maru`;
    return () => {
      document.title = 'Maru';
    };
  }, [name, isPerson, unread]);
}

interface MiddleProps extends ShellProps {
  shell: ShellState;
  showsRooms: boolean;
  showsPeople: boolean;
}

function Middle({ client, connection, room, session, store, shell, showsRooms, showsPeople }: MiddleProps) {
  const { view, setOpen, dialog, places, title, ownId, isInRoom } = shell;
  const { details } = view;
  const hasSettings = details !== null && (details.role !== 'member' || details.visibility === 'private');
  const onShowRooms = showsRooms ? null : () => setOpen('rooms');
  return (
    <main class="conversation">
      <Bar
        {...{ room, title, details, connection, onShowRooms }}
        count={view.presence?.count ?? null}
        onShowPeople={showsPeople ? null : () => setOpen('people')}
        onShowSettings={hasSettings ? () => dialog.setTarget({ view: 'room' }) : null}
        onShowAbout={isInRoom ? () => dialog.setTarget({ view: 'about' }) : null}
      />
      <ConnectionBanner connection={connection} onRetry={client.retryNow} />
      {view.entered.kind === 'refused' || view.entered.kind === 'removed' ? (
        <RoomProblem entered={view.entered} {...{ view, store, onShowRooms }} onGoToRoom={shell.goTo} />
      ) : (
        <>
          <MessageList
            {...{ room, view, store, ownId }}
            ownName={session.user.name}
            isWaiting={shell.isWaiting}
            actions={shell.actions}
            target={places.shown}
            onTargetShown={() => places.setShown(null)}
          />
          <Problem {...{ view, store, shell }} />
          <TypingLine typists={view.typists} />
          <Composer {...{ client, store, view, ownId }} name={title.name} />
        </>
      )}
    </main>
  );
}

/** Why the last reaction was refused, or a direct room could not be opened. */
function Problem({ view, store, shell }: { view: RoomView; store: RoomStore; shell: ShellState }) {
  const { t } = useWords();
  const { direct } = shell;
  const words =
    view.refusal !== null ? t.actFailed(wordsOfError(t, view.refusal)) : direct.hasFailed ? t.directFailed : null;
  const dismiss = () => {
    store.dismissRefusal();
    direct.dismiss();
    document.getElementById('message-input')?.focus();
  };
  return (
    <div role="alert" class="act-problem">
      {words !== null && (
        <p class="alert" data-testid="act-problem">
          {words}{' '}
          <button type="button" class="link-button" onClick={dismiss}>
            {t.closePanel}
          </button>
        </p>
      )}
    </div>
  );
}

/** A thread takes the place of the people. */
function Beside(props: ShellProps & { shell: ShellState; showsPeople: boolean }) {
  const { client, session, store, shell, showsPeople } = props;
  const { view, open, setOpen, dialog, places, actions, direct, ownId, isWaiting } = shell;
  const { t } = useWords();
  const { thread, setThread } = places;
  const close = () => {
    setOpen(null);
    setThread(null);
  };
  if (thread !== null) {
    return (
      <Panel side="end" title={t.replyInThread} isInline={showsPeople} isOpen isWide onClose={close}>
        <ThreadHost
          root={thread}
          {...{ client, store, view, ownId, isWaiting, actions }}
          ownName={session.user.name}
          onClose={showsPeople ? close : null}
        />
      </Panel>
    );
  }
  return (
    <Panel side="end" title={t.people} isInline={showsPeople} isOpen={open === 'people'} onClose={close}>
      <People
        presence={view.presence}
        ownId={ownId}
        role={view.details?.role ?? null}
        onMenu={(user) => dialog.setTarget({ view: 'person', user, message: null })}
        onDirect={direct.openDirect}
      />
    </Panel>
  );
}
