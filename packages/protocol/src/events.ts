/** Requests and server events of the public contract, by event name. */
import type { Entry, Position, Role } from './entries.ts';
import type {
  ActData,
  BansData,
  CreateData,
  HistoryData,
  InboxEvent,
  JoinData,
  MembersData,
  MessagesData,
  MyRoomsData,
  Notice,
  Notify,
  PresenceDiff,
  PresenceSnapshot,
  ReadData,
  ReadersData,
  Receipt,
  RenewData,
  ReportsData,
  RoomEvent,
  SearchData,
  SendData,
  SessionData,
  Status,
  TypingSignal,
  Visibility,
} from './shapes.ts';

export type * from './entries.ts';
export type * from './shapes.ts';

/** The common part of requests that change a message. */
export interface OnMessage {
  room: string;
  seq: number;
  clientMsgId: string;
}

/** `forMs`: duration. Without it, the sanction has no end (a kick: 60 s). */
export interface SanctionRequest {
  room: string;
  clientMsgId?: string;
  user: string;
  forMs?: number;
  reason?: string;
}

/** Client → server: payload and the data of a successful acknowledgement. */
export interface ClientRequests {
  'auth:renew': [{ token: string }, RenewData];
  'room:create': [{ room?: string; visibility?: Visibility; title?: string; user?: string }, CreateData];
  'room:join': [{ room: string; since?: Position; limit?: number }, JoinData];
  'room:leave': [{ room: string }, Record<string, never>];
  'room:members': [{ room: string; cursor?: string; limit?: number }, MembersData];
  'room:invite': [{ room: string; user: string }, Record<string, never>];
  'room:update': [
    {
      room: string;
      clientMsgId: string;
      title?: string;
      topic?: string;
      readOnly?: boolean;
      slowModeS?: number;
    },
    SendData,
  ];
  'room:quit': [{ room: string; clientMsgId: string }, SendData];
  'room:delete': [{ room: string }, Record<string, never>];
  'room:role': [{ room: string; clientMsgId?: string; user: string; role: Role }, ActData];
  'room:kick': [SanctionRequest, ActData];
  'room:ban': [SanctionRequest, ActData];
  'room:unban': [SanctionRequest, ActData];
  'room:mute': [SanctionRequest, ActData];
  'room:unmute': [SanctionRequest, ActData];
  'room:bans': [{ room: string; cursor?: string; limit?: number }, BansData];
  'message:report': [{ room: string; seq: number; reason: string }, Record<string, never>];
  'room:reports': [{ room: string; cursor?: string; limit?: number }, ReportsData];
  'room:report-close': [{ room: string; id: string }, Record<string, never>];
  'message:send': [{ room: string; clientMsgId: string; text: string; thread?: number; mentions?: string[] }, SendData];
  'message:edit': [OnMessage & { text: string; mentions?: string[] }, SendData];
  'message:delete': [OnMessage & { reason?: string }, SendData];
  'message:react': [OnMessage & { emoji: string; active: boolean }, SendData];
  'message:pin': [OnMessage & { active: boolean }, SendData];
  'history:read': [{ room: string; before?: number; after?: number; limit?: number; epoch?: string }, HistoryData];
  'messages:read': [
    {
      room: string;
      before?: number;
      after?: number;
      around?: number;
      /** Milliseconds since 1970. */
      at?: number;
      thread?: number;
      pinned?: true;
      limit?: number;
    },
    MessagesData,
  ];
  search: [
    {
      query: string;
      room?: string;
      /** A user id. */
      from?: string;
      /** Milliseconds since 1970, both exclusive. */
      before?: number;
      after?: number;
      cursor?: string;
      limit?: number;
    },
    SearchData,
  ];
  'rooms:mine': [{ cursor?: string; limit?: number }, MyRoomsData];
  'room:follow': [{ room: string; active: boolean; notify?: Notify }, Record<string, never>];
  'room:read': [{ room: string; seq: number }, ReadData];
  'room:readers': [{ room: string }, ReadersData];
  typing: [{ room: string; active: boolean; thread?: number }, Record<string, never>];
  'presence:watch': [{ room: string }, PresenceSnapshot];
  'presence:unwatch': [{ room: string }, Record<string, never>];
  'presence:set': [{ status: Status; text?: string }, Record<string, never>];
}

export type ClientEventName = keyof ClientRequests;

/** Server → client. */
export interface ServerEvents {
  session: (session: SessionData) => void;
  message: (entry: Entry) => void;
  typing: (event: TypingSignal) => void;
  presence: (diff: PresenceDiff) => void;
  'room:event': (event: RoomEvent) => void;
  receipt: (receipt: Receipt) => void;
  inbox: (event: InboxEvent) => void;
  notice: (notice: Notice) => void;
}
