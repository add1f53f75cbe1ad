/** The client of the signed-in page, its conversations and its connection state. */
import { type ChatClient, type ConnectionState, createChatClient, type EndReason } from '@maru/client';
import { type Conversations, createConversations } from '@maru/client/conversation';
import { useEffect, useState } from 'preact/hooks';
import type { Session } from '../session/api.ts';

/** A message that was not stored for this time is shown as failed, and its author decides. */
const GIVE_UP_AFTER_MS = 10 * 60_000;

export interface ClientHandle {
  client: ChatClient;
  conversations: Conversations;
  connection: ConnectionState;
}

export function useClient(session: Session, onEnded: (reason: EndReason) => void): ClientHandle | null {
  const [open, setOpen] = useState<Omit<ClientHandle, 'connection'> | null>(null);
  const [connection, setConnection] = useState<ConnectionState>({ state: 'connecting' });

  useEffect(() => {
    const created = createChatClient({
      url: location.origin,
      // A guest's token cannot be renewed. After a refusal the guest signs in again.
      getToken: ({ refresh }) => (refresh ? null : session.token),
      giveUpAfterMs: GIVE_UP_AFTER_MS,
      logger: {
        debug: () => {},
        warn: (message, fields) => console.warn(message, fields),
      },
    });
    created.on('connection', (state) => {
      setConnection(state);
      if (state.state === 'ended' && state.reason !== 'closed') onEnded(state.reason);
    });
    const conversations = createConversations({ client: created });
    created.connect();
    setOpen({ client: created, conversations });
    return () => {
      conversations.close();
      created.close();
    };
  }, [session, onEnded]);

  return open === null ? null : { ...open, connection };
}
