/** The form of the own status. */
export const words = {
  title: 'Your status',
  close: 'Close',
  online: 'Online',
  onlineHint: 'Away by itself when you do not use this device.',
  away: 'Away',
  awayHint: 'Until you choose another one.',
  dnd: 'Do not disturb',
  dndHint: 'No notifications and no sound on this device.',
  invisible: 'Invisible',
  invisibleHint: 'Others do not see that you are here.',
  text: 'What others read beside your name',
  textPlaceholder: 'For example: in a meeting until 3 🗓️',
  tooLong: (max: number) => `At most ${max} characters.`,
  unsafe: 'The text must not hold control characters.',
  save: 'Save',
  clear: 'Remove the text',
};
