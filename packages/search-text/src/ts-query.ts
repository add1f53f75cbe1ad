import { SEARCH_TEXT_LIMITS } from './limits.ts';
import type { ParsedQuery, Term } from './query.ts';
import { cutToken, pairsOf } from './tokens.ts';
import { quoteLexeme, scopeTokens } from './words.ts';

/** The messages that a search covers. */
export interface SearchScope {
  /** Messages of public rooms, and of the named rooms. `all`: the caller restricts the rooms. */
  public: boolean;
  rooms: readonly string[] | 'all';
  /** Excludes messages of these rooms. */
  without?: readonly string[] | undefined;
  author?: string | undefined;
  /** The first and the last period, see `periodOf`. */
  periods?: readonly [number, number] | undefined;
}

export interface QueryToken {
  token: string;
  /** It also matches longer tokens that begin with it. */
  prefix: boolean;
}

/**
 * The tokens that each text with the term has. A text with all of them may still not contain the
 * term: `matches` decides.
 */
function tokensOfTerm({ pieces, prefix }: Term): QueryToken[] {
  return pieces.flatMap(({ text, run }, index) => {
    if (!run) return [{ token: cutToken(text), prefix: prefix && index === pieces.length - 1 }];
    const pairs = pairsOf(text);
    // Each character begins a pair, or is a token itself if it ends its run.
    return pairs.length === 0 ? [{ token: text, prefix: true }] : pairs.map((token) => ({ token, prefix: false }));
  });
}

/** The tokens that a message MUST have. */
export function tokensOfQuery({ terms }: ParsedQuery): QueryToken[] {
  const tokens = new Map<string, QueryToken>();
  for (const found of terms.flatMap(tokensOfTerm)) {
    const known = tokens.get(found.token);
    // The token without `prefix` is more specific.
    if (known === undefined || known.prefix) tokens.set(found.token, found);
    if (tokens.size === SEARCH_TEXT_LIMITS.queryTokensMax) break;
  }
  return [...tokens.values()];
}

const lexeme = ({ token, prefix }: QueryToken): string => quoteLexeme(token) + (prefix ? ':*' : '');
const anyOf = (tokens: readonly string[]): string => `(${tokens.map(quoteLexeme).join(' | ')})`;

/**
 * Text for a cast to `tsquery`. It finds every message of the scope that `matches`. It may find
 * others with the same tokens in another order.
 */
export function toTsQuery(parsed: ParsedQuery, scope: SearchScope): string {
  const all = tokensOfQuery(parsed).map(lexeme);
  for (const term of parsed.excluded) {
    const [token, ...others] = tokensOfTerm(term);
    // A text may have all of several tokens without the term. A cut token also matches other words.
    const isExact = token !== undefined && others.length === 0 && token.token === term.pieces[0]?.text;
    if (isExact) all.push(`!${lexeme(token)}`);
  }
  for (const room of scope.without ?? []) all.push(`!${quoteLexeme(scopeTokens.room(room))}`);
  if (scope.author !== undefined) all.push(quoteLexeme(scopeTokens.author(scope.author)));
  if (scope.rooms !== 'all') {
    const places = scope.rooms.map(scopeTokens.room);
    if (scope.public) places.unshift(scopeTokens.public);
    // Without a room there is no result: no message has the token of an empty room id.
    all.push(anyOf(places.length === 0 ? [scopeTokens.room('')] : places));
  }
  if (scope.periods !== undefined) {
    const [first, last] = scope.periods;
    const periods = Array.from({ length: Math.max(1, last - first + 1) }, (_, index) => first + index);
    all.push(anyOf(periods.map(scopeTokens.period)));
  }
  return all.join(' & ');
}
