export { createSearch, type SearchOptions } from './search.ts';
export { snippetParts } from './snippet.ts';
export type * from './types.ts';
