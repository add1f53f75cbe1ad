/** The client's public interface, which `chat-client.ts` implements. */
import type {
  ClientRequests,
  HistoryData,
  MessagesData,
  Position,
  SearchData,
  Status,
  UserRef,
} from '@maru/protocol/events';
import type { ConnectionState } from './connection-state.ts';
import type { Emitter } from './emitter.ts';
import type { ClientEvents, OutgoingAct, OutgoingMessage, RoomStatus } from './events.ts';
import type { ClientLimits } from './limits.ts';
import type { ClientLogger } from './logger.ts';
import type { Moderation } from './moderation.ts';
import type { OutboxStorage } from './outbox-store.ts';
import type { MessageAct, NewMessage } from './outgoing.ts';
import type { RoomDetails } from './room-details.ts';
import type { Scheduler } from './scheduler.ts';
import type { GetToken } from './token.ts';
import type { Transport } from './transport-choice.ts';

export interface ChatClientOptions extends Partial<ClientLimits> {
  /** The public address, such as `https://chat.example`. */
  url: string;
  getToken: GetToken;
  /** Identifies the program for operators: at most 40 letters, digits, spaces and `._/+-`. */
  program?: string;
  /** Keeps the outbox across reloads. Without it, the outbox is lost. */
  storage?: OutboxStorage;
  logger?: ClientLogger;
  /** Transports in order of preference. */
  transports?: Transport[];
  path?: string;
  scheduler?: Scheduler;
}

export interface JoinOptions {
  /** Number of newest entries to load, 1 to 200. */
  limit?: number;
  /** Whether to watch the room's presence. */
  presence?: boolean;
}

export interface HistoryRequest {
  room: string;
  /** `before` or `after`, both exclusive. Without either: the newest entries. */
  before?: number;
  after?: number;
  limit?: number;
  /** Rejects `conflict` if the log has another epoch. */
  epoch?: string;
}

export type MessagesRequest = ClientRequests['messages:read'][0];
export type SearchRequest = ClientRequests['search'][0];
export type ListRequest = 'room:create' | 'room:follow' | 'room:read' | 'room:readers' | 'rooms:mine';

export interface ChatClient {
  /** Returns a function that removes the listener. */
  on: Emitter<ClientEvents>['on'];
  readonly connection: ConnectionState;
  /** The own user; null before the first session. */
  readonly user: UserRef | null;
  /** Features of the cluster, for example `guests`. Empty before the first session. */
  readonly features: readonly string[];
  connect(): void;
  /**
   * The network is back: retries now, and checks an open connection. In browsers, the event
   * `online` does this.
   */
  retryNow(): void;
  /** Ends the client permanently. The last event is `connection`. */
  close(): void;
  /**
   * Joins the room, and joins it again after each reconnect until it is left, refused or removed.
   * For a joined room, only `presence` changes. @throws MaruError `invalid`
   */
  join(room: string, options?: JoinOptions): void;
  leave(room: string): void;
  /** The last `room` event of a room that is joined or being joined. Null for other rooms. */
  status(room: string): RoomStatus | null;
  /** The position up to which entries of the room were delivered. Null if none were. */
  position(room: string): Position | null;
  /** Null unless the room is joined, or was joined before the connection was lost. */
  details(room: string): RoomDetails | null;
  /** Acts on rooms and members, and lists for moderators. */
  readonly moderation: Moderation;
  /**
   * Queues a text. `outgoing` events report its outcome. @throws MaruError `invalid`, `too_large`,
   * `unavailable` (outbox full)
   */
  send(room: string, text: string, options?: Omit<NewMessage, 'text'>): OutgoingMessage;
  /**
   * Queues a change of a message after everything that waits for the room. `act` events report its
   * outcome. @throws MaruError like `send`
   */
  act(room: string, act: MessageAct): OutgoingAct;
  retry(clientMsgId: string): void;
  discard(clientMsgId: string): void;
  /** Waiting and failed messages in order, and waiting acts. */
  pending(): OutgoingMessage[];
  pendingActs(): OutgoingAct[];
  /**
   * One page, ascending. On a slow link, it has fewer entries than `limit`. Rejects with MaruError.
   */
  readHistory(request: HistoryRequest): Promise<HistoryData>;
  /** The same for messages only, in their form when the log ended at `head`. */
  readMessages(request: MessagesRequest): Promise<MessagesData>;
  /** Found messages, newest first, and a cursor. Rejects with MaruError. */
  search(request: SearchRequest): Promise<SearchData>;
  /**
   * A request about lists and read positions. It is idempotent. If an answer is lost, it is sent
   * again, up to four times. Rejects with MaruError.
   */
  request<N extends ListRequest>(name: N, payload: ClientRequests[N][0]): Promise<ClientRequests[N][1]>;
  /** An ephemeral event, which may be lost. `thread`: the root of the thread. */
  setTyping(room: string, active: boolean, thread?: number): void;
  /**
   * Sets the status now or on the next connection, and again on each later one. Resolves when it is
   * stored, or when a later status replaces it. Rejects with MaruError if it is refused.
   */
  setStatus(status: Status, text?: string): Promise<void>;
}
