/** The list of all emoji. */
export const words = {
  search: 'Search emoji',
  searchHint: 'For example: heart, 웃음',
  recent: 'Used last',
  first: 'Emoji',
  found: 'Found',
  nothing: 'No emoji has this name.',
  failed: 'The emoji could not be loaded. Check the connection and try again.',
};
