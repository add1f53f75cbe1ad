import { pluralsOf } from '../plural.ts';

const plural = pluralsOf<'one'>('en');

export const words = {
  title: 'Search',
  close: 'Close the search',
  label: 'Search messages',
  placeholder: 'Search messages',
  scope: 'Where',
  allRooms: 'All rooms that I can read',
  thisRoom: (room: string) => `Only ${room}`,
  filters: 'More filters',
  author: 'Written by',
  anyone: 'Anyone',
  me: (name: string) => `${name} (you)`,
  fromDay: 'From',
  toDay: 'To',
  goToDay: 'Go to a day in this room',
  day: 'Day',
  go: 'Go',

  hint: 'Words find messages that have all of them; the last word may be unfinished.',
  hintMore: 'Use "quotes" for words in a row, and -word to leave messages out.',
  off: 'Search needs the archive, and this server has none. You can still go to a day.',
  searching: 'Searching…',
  nothing: 'Nothing was found.',
  nothingHint: 'Try fewer or other words, or search in all rooms.',
  found: (count: number) => plural(count, { one: '# message', other: '# messages' }),
  foundMore: (count: number) => plural(count, { one: 'The newest message', other: 'The newest # messages' }),
  full: 'Only the newest are shown. More words or filters find the others.',
  more: 'Show more',
  loading: 'Loading…',
  unavailable: 'The search does not answer right now. Messages are safe, and chat goes on.',
  invalid: 'This cannot be searched for. Use words.',
  moreFailed: 'More could not be loaded.',
  again: 'Try again',
  results: 'Found messages',
};
