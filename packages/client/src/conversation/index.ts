export { type ConversationsOptions, createConversations, type DraftStorage } from './conversations.ts';
export type * from './types.ts';
