/** The client of the signed-in page, the state shared by all views, and the connection state. */
import {
  type ChatClient,
  type ClientLogger,
  type ConnectionState,
  createChatClient,
  type EndReason,
  systemScheduler,
} from '@maru/client';
import { createConversations } from '@maru/client/conversation';
import type { TabStorage } from '@maru/client/tabs';
import { useEffect, useState } from 'preact/hooks';
import { watchIdle } from '../presence/idle.ts';
import { createOwnStatus, type OwnStatus } from '../presence/own-status.ts';
import type { Session } from '../session/device.ts';
import { guardUnload, type KeptIn, openKept } from '../session/kept.ts';
import type { PreferenceStore } from '../settings/preferences.ts';
import { usePreferenceStore } from '../settings/use-preferences.ts';
import { createWorkspace, type Workspace } from '../workspace/workspace.ts';

/**
 * After this time without being stored, a message is shown as failed. Its author can retry or
 * discard it.
 */
const GIVE_UP_AFTER_MS = 10 * 60_000;

const LOGGER: ClientLogger = {
  debug: () => {},
  warn: (message, fields) => console.warn(message, fields),
};

guardUnload();

export interface ClientHandle {
  workspace: Workspace;
  connection: ConnectionState;
  keptIn: KeptIn;
}

interface OpenOptions {
  session: Session;
  preferences: PreferenceStore;
  onState: (state: ConnectionState) => void;
}

function open(kept: TabStorage, { session, preferences, onState }: OpenOptions) {
  const client = createChatClient({
    url: location.origin,
    program: 'web',
    // A guest token cannot be renewed. If it is refused, the guest signs in again.
    getToken: ({ refresh }) => (refresh ? (session.renew?.() ?? null) : session.token),
    giveUpAfterMs: GIVE_UP_AFTER_MS,
    storage: kept.outbox,
    logger: LOGGER,
  });
  client.on('connection', onState);
  const conversations = createConversations({ client, drafts: kept.drafts, logger: LOGGER });
  const ownId = session.user.id;
  // Set the status before connecting, so an invisible user never appears online.
  const ownStatus = startOwnStatus(client, ownId, preferences);
  const workspace = createWorkspace({ client, conversations, ownStatus, ownId });
  client.connect();
  return {
    workspace,
    close() {
      workspace.close();
      conversations.close();
      client.close();
      kept.close();
    },
  };
}

export function useClient(session: Session, onEnded: (reason: EndReason) => void): ClientHandle | null {
  const preferences = usePreferenceStore();
  const [opened, setOpened] = useState<Omit<ClientHandle, 'connection'> | null>(null);
  const [connection, setConnection] = useState<ConnectionState>({ state: 'connecting' });

  useEffect(() => {
    let isOver = false;
    let close = () => {};
    const onState = (state: ConnectionState) => {
      setConnection(state);
      if (state.state === 'ended' && state.reason !== 'closed') onEnded(state.reason);
    };
    void openKept(session, LOGGER).then((kept) => {
      if (isOver) return kept.close();
      const { workspace, ...created } = open(kept, { session, preferences, onState });
      close = created.close;
      setOpened({ workspace, keptIn: kept.keptIn });
    });
    return () => {
      isOver = true;
      close();
      setOpened(null);
    };
  }, [session, onEnded, preferences]);

  return opened === null ? null : { ...opened, connection };
}

/** The name of the channel that all tabs of the page share, including tabs of other users. */
const INPUT_CHANNEL = 'maru.input';

function startOwnStatus(client: ChatClient, ownId: string, preferences: PreferenceStore): OwnStatus {
  const scheduler = systemScheduler;
  const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(INPUT_CHANNEL) : null;
  return createOwnStatus({
    ...{ client, ownId, preferences, scheduler },
    watchIdle: (on) => watchIdle({ ...on, scheduler, channel, target: window }),
  });
}
