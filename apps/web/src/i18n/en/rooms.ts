import { pluralsOf } from '../plural.ts';

const plural = pluralsOf<'one'>('en');

/** The menu of a room, and the directory of all public rooms. */
export const words = {
  markRead: 'Mark as read',
  follow: 'Follow this room',
  unfollow: 'Stop following',
  copyLink: 'Copy the link to the room',
  invite: 'Invite people…',
  settings: 'Title, topic and settings…',
  quit: 'Leave for good…',
  notify: 'Notifications',
  notifyAll: 'All messages',
  notifyMentions: 'Mentions only',
  notifyNone: 'None',

  title: 'All rooms',
  detail: 'Every public room. Anyone may read and write in them.',
  search: 'Search by name, title or topic',
  loading: 'Loading…',
  lookedAt: (count: number) => plural(count, { one: '# room looked at', other: '# rooms looked at' }),
  found: (count: number) => plural(count, { one: '# room found', other: '# rooms found' }),
  noneFound: 'No room matches.',
  none: 'There are no public rooms yet.',
  tooMany: (count: number) =>
    `Only the first ${count} rooms are searched. You can also go to a room by its exact name.`,
  more: 'Show more rooms',
  failed: 'The rooms could not be loaded.',
  retry: 'Try again',
  open: 'Open',
  join: 'Join',
  openRoom: (name: string) => `Open ${name}`,
  joinRoom: (name: string) => `Join ${name}`,
  joinHint: 'Keeps the room in your list.',
  inList: 'in your list',
  create: 'New room',
  online: (count: number) => plural(count, { one: '# person online', other: '# people online' }),
  joinFailed: 'The room could not be added to your list.',
};
