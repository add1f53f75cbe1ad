/** Tokens of texts and queries, which a search compares. Pure: for servers and browsers. */
export { normalise } from './fold.ts';
export { SEARCH_TEXT_LIMITS } from './limits.ts';
export { matches, type Span } from './match.ts';
export { type ParsedQuery, parseQuery, type Term } from './query.ts';
export { type Snippet, snippetOf } from './snippet.ts';
export { tokensOf } from './tokens.ts';
export { type QueryToken, type SearchScope, tokensOfQuery, toTsQuery } from './ts-query.ts';
export { type IndexedMessage, periodOf, quoteLexeme, scopeTokens, startOfPeriod, toWords } from './words.ts';
