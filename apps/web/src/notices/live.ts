/**
 * Decides which entries arrive live. Entries from a join, a resume or a gap are older, so they
 * cause no notice of their own.
 */
import type { ChatClient } from '@maru/client';

/**
 * `afterSeq`: entries up to this seq are old. MUST be called before the caller listens for entries.
 */
export function watchLive(client: Pick<ChatClient, 'on'>): { afterSeq(room: string): number; close(): void } {
  const after = new Map<string, number>();
  const unsubscribe = [
    client.on('session', ({ rooms }) => {
      after.clear();
      for (const [room, answer] of Object.entries(rooms)) if ('head' in answer) after.set(room, answer.head);
    }),
    client.on('room', (event) => {
      if (event.status === 'joined') after.set(event.room, event.head);
    }),
    // The next entries are the missed ones.
    client.on('gap', ({ room }) => void after.delete(room)),
    client.on('entries', ({ room, entries }) => {
      const last = entries.at(-1);
      if (last !== undefined && !after.has(room)) after.set(room, last.seq);
    }),
    client.on('rollback', ({ room, head }) => void after.set(room, Math.min(after.get(room) ?? head, head))),
  ];
  return {
    afterSeq: (room) => after.get(room) ?? Number.POSITIVE_INFINITY,
    close() {
      for (const end of unsubscribe) end();
    },
  };
}
