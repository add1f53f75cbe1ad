/** A search over the archive, as a host shows it. Views are immutable. */
import type { ErrorBody } from '@maru/protocol/errors';
import type { UserRef } from '@maru/protocol/events';
import type { Watched } from '../conversation/types.ts';

export interface SearchQuery {
  /** Words; the last one may be unfinished. Blank: nothing is searched. */
  readonly text: string;
  /** Only this room; without it all rooms that the user may read. */
  readonly room?: string | undefined;
  /** Only messages of this user. */
  readonly from?: string | undefined;
  /** Only messages before and after these times, in milliseconds since 1970. */
  readonly before?: number | undefined;
  readonly after?: number | undefined;
}

export interface SnippetPart {
  readonly text: string;
  /** It is what the query means. */
  readonly isMarked: boolean;
}

/** A found message. */
export interface Hit {
  readonly room: string;
  readonly seq: number;
  readonly ts: number;
  readonly from: UserRef;
  /** The part of the text around what was found, in pieces: plain text, never markup. */
  readonly snippet: readonly SnippetPart[];
}

export type SearchState =
  /** Nothing is asked. */
  | { readonly kind: 'idle' }
  /** The cluster has no archive, so it cannot search. */
  | { readonly kind: 'off' }
  /** The hits are those of the query before. */
  | { readonly kind: 'searching' }
  | { readonly kind: 'ready' }
  /** `unavailable`: it is tried again on the next connection, and by `retry`. */
  | { readonly kind: 'failed'; readonly error: ErrorBody };

export interface SearchView {
  readonly query: SearchQuery;
  readonly state: SearchState;
  /** The newest first. */
  readonly hits: readonly Hit[];
  /** `more` brings them. */
  readonly hasMore: boolean;
  /** As many hits as a search holds: the user should narrow it. */
  readonly isFull: boolean;
  /** A page of more hits is being read, or why it could not be. */
  readonly more: { readonly isLoading: boolean; readonly error: ErrorBody | null };
}

export interface Search extends Watched<SearchView> {
  /** Changes parts of the query. What is typed is sent after a short pause. */
  set(change: Partial<SearchQuery>): void;
  /** Reads the next hits. Does nothing if there are none, or while they are being read. */
  more(): void;
  retry(): void;
  close(): void;
}
