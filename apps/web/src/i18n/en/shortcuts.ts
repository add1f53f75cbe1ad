/** The list of keys. */
export const words = {
  title: 'Keyboard shortcuts',
  close: 'Close',
  or: 'or',

  page: 'Everywhere',
  find: 'Search',
  settings: 'Settings',
  shortcuts: 'This list',
  nextRegion: 'Next part of the page',
  previousRegion: 'Previous part of the page',
  nextRoom: 'Next room',
  previousRoom: 'Previous room',
  nextUnread: 'Next room with new messages',
  previousUnread: 'Previous room with new messages',
  markAllRead: 'Mark all rooms as read',
  closeTop: 'Close what is open',

  write: 'While writing',
  send: 'Send',
  newLine: 'New line',
  editLast: 'Edit your last message, if the field is empty',
  mention: 'Mention somebody',

  messages: 'In the messages',
  otherMessage: 'Another message',
  otherControl: 'Other buttons of the message',
  messageMenu: 'Open its menu',
};
