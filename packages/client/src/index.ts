export { type ActCase, type ActName, actOf, changeOf, type MessageChange, mayDo, type RoomAct } from './acts.ts';
export { mayRetry } from './backoff.ts';
export {
  type ChatClient,
  type ChatClientOptions,
  createChatClient,
  type HistoryRequest,
  type JoinOptions,
  type ListRequest,
  type MessagesRequest,
} from './chat-client.ts';
export { type ConnectionState, type EndReason, hasSession } from './connection-state.ts';
export type { ClientEvents, OutgoingAct, OutgoingMessage, OutgoingState, RoomStatus } from './events.ts';
export { type ClientLimits, DEFAULT_LIMITS } from './limits.ts';
export type { ClientLogger } from './logger.ts';
export type { Moderation, NewRoom, PageRequest, RoomSettings, Sanction } from './moderation.ts';
export type { OutboxStorage } from './outbox-store.ts';
export type { MessageAct, NewMessage } from './outgoing.ts';
export type { PresenceView } from './presence-view.ts';
export { applyAct, type RoomDetails } from './room-details.ts';
export type { GapReason } from './room-state.ts';
export { type Scheduler, systemScheduler } from './scheduler.ts';
export { codePointCount, isRoomId, type TextProblem, textProblem } from './text.ts';
export type { GetToken } from './token.ts';
export type { Transport } from './transport-choice.ts';
