/** The client's events about one room. */
import type { ChatClient } from '../chat-client.ts';
import type { ClientEvents } from '../events.ts';

type OfRooms = { [K in keyof ClientEvents]: ClientEvents[K] extends { room: string } ? K : never }[keyof ClientEvents];

/** Returns `client.on` for events of this room. Those of other rooms are ignored. */
export const eventsOf =
  (client: Pick<ChatClient, 'on'>, room: string) =>
  <K extends OfRooms>(name: K, handle: (event: ClientEvents[K]) => void): (() => void) =>
    client.on(name, (event) => {
      if ((event as { room: string }).room === room) handle(event);
    });
