/** Limits of indexing and queries. Changing the first two requires a new index. */
export const SEARCH_TEXT_LIMITS = {
  /** Different tokens of one message. A text of 4,000 code points has fewer. */
  tokensPerMessageMax: 4_096,
  /** Length of a token, in code points. The rest of a longer word is not indexed. */
  tokenCodePointsMax: 64,
  /** Words and phrases in one query. */
  queryTermsMax: 12,
  /**
   * Tokens in one query. A phrase with more is found by its first ones, and then checked as a
   * whole.
   */
  queryTokensMax: 48,
  /** Minimum length of the last word for a prefix match, in code points. */
  prefixCodePointsMin: 2,
  /** Marks in one snippet. */
  snippetMarksMax: 50,
} as const;
