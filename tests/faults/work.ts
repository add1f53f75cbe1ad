/** The requests of a member: those that store an entry, and those that do not. */
import type { ClientRequests } from '@maru/protocol';
import type { Content } from '@maru/testkit/checker/content';

export type Kind =
  | 'send'
  | 'reply'
  | 'mention'
  | 'edit'
  | 'delete'
  | 'react'
  | 'pin'
  /** The read position, a page of messages, another join: they store no entry. */
  | 'read'
  | 'page'
  | 'rejoin';

export type EntryRequest = 'message:send' | 'message:edit' | 'message:delete' | 'message:react' | 'message:pin';
export type ReadRequest = 'room:read' | 'messages:read' | 'room:join';

/** A request that stores an entry. It is repeated until it has an outcome. */
export interface Work {
  kind: Kind;
  event: EntryRequest;
  content: Content;
}

/** A request that stores no entry. It is not repeated. */
export type Look = {
  [N in ReadRequest]: { kind: Kind; event: N; payload: Omit<ClientRequests[N][0], 'room'> };
}[ReadRequest];
