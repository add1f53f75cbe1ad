import { pluralsOf } from '../plural.ts';

const plural = pluralsOf<'one'>('en');

/** Notifications of the desktop. */
export const words = {
  inRoom: (name: string, room: string) => `${name} in ${room}`,
  invited: (name: string) => `${name} invited you to a room`,
  newMessage: 'New message',
  mentioned: 'You were mentioned',
  many: (count: number, rooms: number) =>
    `${plural(count, { one: '# new message', other: '# new messages' })} in ${plural(rooms, { one: '# room', other: '# rooms' })}`,
};
