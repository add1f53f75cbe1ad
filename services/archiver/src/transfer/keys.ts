/**
 * The Redis keys that an import writes and an export reads. Their spelling is the same as in the
 * gateway (`services/gateway/src/keys.ts`).
 */

export const roomMetaKey = (room: string): string => `maru:{${room}}:meta`;
export const roomLogKey = (room: string): string => `maru:{${room}}:log`;
export const roomIdsKey = (room: string): string => `maru:{${room}}:ids`;
export const roomErasedKey = (room: string): string => `maru:{${room}}:erased`;
export const roomOverlayKey = (room: string): string => `maru:{${room}}:overlay`;
export const roomPinsKey = (room: string): string => `maru:{${room}}:pins`;
export const roomReadsKey = (room: string): string => `maru:{${room}}:reads`;
export const roomRolesKey = (room: string): string => `maru:{${room}}:roles`;
export const roomReactionsPrefix = (room: string): string => `maru:{${room}}:reactions:`;
export const roomRepliesPrefix = (room: string): string => `maru:{${room}}:replies:`;
export const userRoomListKey = (userId: string): string => `maru:list:{${encodeURIComponent(userId)}}`;
export const publicRoomsKey = (): string => 'maru:rooms';
