/** The room on the screen: header, messages, and people or a thread beside it. */
import { useLayoutEffect } from 'preact/hooks';
import { CopyNote } from '../conversation/copy-note.tsx';
import { PopupHost } from '../conversation/popup-host.tsx';
import type { Catalogue } from '../i18n/catalogue.ts';
import { wordsOfRefusal } from '../i18n/errors.ts';
import { useWords } from '../i18n/index.ts';
import { focusMain } from '../keyboard/regions.ts';
import { DialogHost } from '../moderation/dialog-host.tsx';
import { PageTitle } from '../notices/use-attention.tsx';
import { isEnterable } from '../workspace/room-view.ts';
import { Bar } from './bar.tsx';
import { Beside } from './beside.tsx';
import { Composer } from './composer.tsx';
import { ConnectionBanner } from './connection.tsx';
import { MessageList } from './message-list.tsx';
import { RoomProblem } from './room-problem.tsx';
import { TypingLine } from './typing-line.tsx';
import { type RoomPageProps, type RoomPageState, useRoomPage } from './use-room-page.ts';

export function RoomPage(props: RoomPageProps) {
  const { workspace, shell, store } = props;
  const page = useRoomPage(props);
  const { view, title } = page;
  const { dialog } = shell;
  useFocus(store.room);
  return (
    <>
      <PageTitle {...{ workspace, store }} place={title.isPerson ? title.name : `#${title.name}`} />
      <Middle {...props} page={page} />
      <Beside {...props} page={page} />
      <DialogHost
        key={store.room}
        target={dialog.target}
        client={workspace.client}
        myRooms={workspace.conversations.myRooms}
        store={store}
        details={view.details}
        names={view.names}
        ownId={page.ownId}
        onTarget={dialog.setTarget}
        onClose={dialog.closeDialog}
        onGoToRoom={shell.goTo}
        onShowMessage={store.jumpTo}
      />
      <PopupHost
        {...{ store }}
        client={workspace.client}
        popup={page.acts.popup}
        acts={page.acts.acts}
        details={view.details}
        names={view.names}
        ownId={page.ownId}
        onDirect={page.direct.openDirect}
        onClose={page.acts.closePopup}
      />
    </>
  );
}

/** After a change of room, the focused element may be gone. Focus the new room then. */
function useFocus(room: string): void {
  useLayoutEffect(() => {
    const { activeElement } = document;
    if (activeElement !== null && !activeElement.matches('body, main')) return;
    const log = document.querySelector<HTMLElement>('.log');
    if (log === null) focusMain();
    else log.focus({ preventScroll: true });
  }, [room]);
}

type PartProps = RoomPageProps & { page: RoomPageState };

function Middle(props: PartProps) {
  const { workspace, connection, router, session, shell, store, page } = props;
  const { room, view, title, ownId, isInRoom } = page;
  const { client } = workspace;
  const { dialog, setOpen, showsRooms, showsPeople } = shell;
  const { details, entered } = view;
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
        onFollow={page.follow.follow}
        onFind={shell.find.open}
      />
      <ConnectionBanner connection={connection} onRetry={client.retryNow} />
      {isEnterable(entered) || entered.kind === 'looking' ? (
        <>
          <MessageList
            key={room}
            {...{ room, view, store, ownId }}
            ownName={session.user.name}
            isWaiting={page.isWaiting}
            actions={page.acts.acts}
            editing={page.acts.editing}
            onNewest={() => router.leavePlace(room)}
          />
          <Problem {...props} />
          {isEnterable(entered) && (
            <>
              <CopyNote copied={page.acts.copied} onOver={page.acts.forgetCopied} />
              <TypingLine typists={view.typists} />
              <Composer
                key={room}
                {...{ client, store, view, ownId }}
                name={title.name}
                onEdit={page.acts.acts.onEdit}
                mention={page.acts.mention}
                onMentioned={page.acts.onMentioned}
              />
            </>
          )}
        </>
      ) : (
        <RoomProblem {...{ entered, view, store, onShowRooms }} onGoToRoom={shell.goTo} onGoToRooms={shell.goToRooms} />
      )}
    </main>
  );
}

/**
 * Error text: why an act was refused, or a room could not be opened or followed. Null without an
 * error.
 */
function wordsOfProblem(t: Catalogue, { direct, follow, view: { refusal } }: RoomPageState): string | null {
  if (refusal !== null) {
    const words = refusal.act === 'edit' && refusal.code !== 'not_found' ? t.editFailed : t.actFailed;
    return words(wordsOfRefusal(t, refusal.act, refusal.code));
  }
  if (direct.hasFailed) return t.directFailed;
  return follow.hasFailed ? t.roomActFailed : null;
}

function Problem({ store, page }: PartProps) {
  const { t } = useWords();
  const { direct, follow } = page;
  const words = wordsOfProblem(t, page);
  const dismiss = () => {
    store.dismissRefusal();
    direct.dismiss();
    follow.dismiss();
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
