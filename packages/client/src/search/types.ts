/** A search in the archive, for a host. Views are immutable. */
import type { ErrorBody } from '@maru/protocol/errors';
import type { UserRef } from '@maru/protocol/events';
import type { Watched } from '../conversation/types.ts';

export interface SearchQuery {
  /** The words. The last one may be unfinished. A blank text searches nothing. */
  readonly text: string;
  /** Only this room. Without it, all rooms that the user may read. */
  readonly room?: string | undefined;
  /** Only messages of this user. */
  readonly from?: string | undefined;
  /** Only messages before and after these times, in milliseconds since 1970. */
  readonly before?: number | undefined;
  readonly after?: number | undefined;
}

export interface SnippetPart {
  readonly text: string;
  /** The piece matches the query. */
  readonly isMarked: boolean;
}

/** A found message. */
export interface Hit {
  readonly room: string;
  readonly seq: number;
  readonly ts: number;
  readonly from: UserRef;
  /** The text around the match, in pieces. It is plain text, never markup. */
  readonly snippet: readonly SnippetPart[];
}

export type SearchState =
  /** There is no query. */
  | { readonly kind: 'idle' }
  /** The cluster has no archive, so it cannot search. */
  | { readonly kind: 'off' }
  /** The hits still belong to the previous query. */
  | { readonly kind: 'searching' }
  | { readonly kind: 'ready' }
  /** `unavailable`: tried again on the next connection, and by `retry`. */
  | { readonly kind: 'failed'; readonly error: ErrorBody };

export interface SearchView {
  readonly query: SearchQuery;
  readonly state: SearchState;
  /** Newest first. */
  readonly hits: readonly Hit[];
  /** `more` loads them. */
  readonly hasMore: boolean;
  /** The search has the maximum number of hits, so the user should narrow it. */
  readonly isFull: boolean;
  /** Whether more hits are loading, or why loading failed. */
  readonly more: { readonly isLoading: boolean; readonly error: ErrorBody | null };
}

export interface Search extends Watched<SearchView> {
  /** Changes parts of the query. A typed text is sent after a short pause. */
  set(change: Partial<SearchQuery>): void;
  /** Loads the next hits. Does nothing if there are none, or while they are loading. */
  more(): void;
  retry(): void;
  close(): void;
}
