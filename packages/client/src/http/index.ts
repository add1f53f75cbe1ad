export type { HttpError, HttpResult, HttpTarget } from './call.ts';
export { exportOwnData } from './own-data.ts';
export { type ListedRoom, listRooms, type RoomState, type RoomsPage, readPresence, readRoom } from './rooms.ts';
export {
  type AccountSession,
  enterAsGuest,
  parseSession,
  readAuthConfig,
  readMe,
  renewSignIn,
  type Session,
  signInWithPassword,
  signOutEverywhere,
} from './sign-in.ts';
