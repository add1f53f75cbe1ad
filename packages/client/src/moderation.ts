/**
 * Acts on rooms and members, as typed methods. Each rejects with MaruError. An act is sent again
 * with the same `clientMsgId` if its answer is lost, so it happens once.
 */
import type {
  ActData,
  BansData,
  ClientEventName,
  ClientRequests,
  CreateData,
  MembersData,
  ReportsData,
  Role,
  SendData,
} from '@maru/protocol/events';
import type { Request } from './ack.ts';
import { retriedRequest } from './retried.ts';
import type { Scheduler } from './scheduler.ts';
import { newClientMsgId } from './text.ts';

export type RoomSettings = Omit<ClientRequests['room:update'][0], 'room' | 'clientMsgId'>;
export type NewRoom = ClientRequests['room:create'][0];

export interface Sanction {
  /** Duration. Without it, the sanction has no end (a kick from a public room: 60 s). */
  forMs?: number;
  reason?: string;
}

export interface PageRequest {
  /** `cursor` of the previous page. */
  cursor?: string;
  limit?: number;
}

export interface Moderation {
  /**
   * Sent only once: a second attempt would create another private room, or be refused as
   * `conflict`.
   */
  createRoom(room: NewRoom): Promise<CreateData>;
  updateRoom(room: string, settings: RoomSettings): Promise<SendData>;
  /** Leaves a private room permanently. */
  quit(room: string): Promise<SendData>;
  deleteRoom(room: string): Promise<void>;
  setRole(room: string, user: string, role: Role): Promise<ActData>;
  invite(room: string, user: string): Promise<void>;
  kick(room: string, user: string, sanction?: Sanction): Promise<ActData>;
  ban(room: string, user: string, sanction?: Sanction): Promise<ActData>;
  mute(room: string, user: string, sanction?: Sanction): Promise<ActData>;
  unban(room: string, user: string, reason?: string): Promise<ActData>;
  unmute(room: string, user: string, reason?: string): Promise<ActData>;
  members(room: string, page?: PageRequest): Promise<MembersData>;
  bans(room: string, page?: PageRequest): Promise<BansData>;
  report(room: string, seq: number, reason: string): Promise<void>;
  reports(room: string, page?: PageRequest): Promise<ReportsData>;
  closeReport(room: string, id: string): Promise<void>;
}

type Data<N extends ClientEventName> = ClientRequests[N][1];

export function createModeration({ request, scheduler }: { request: Request; scheduler: Scheduler }): Moderation {
  const once = <N extends ClientEventName>(name: N, payload: ClientRequests[N][0]): Promise<Data<N>> =>
    new Promise((resolve, reject) => {
      request(name, payload, (result) => (result.ok ? resolve(result.data) : reject(result.error)));
    });

  const retried = retriedRequest({ request, scheduler });

  const sanction = (name: 'room:kick' | 'room:ban' | 'room:mute') => (room: string, user: string, more?: Sanction) =>
    retried(name, { room, user, ...more, clientMsgId: newClientMsgId() });
  const lift = (name: 'room:unban' | 'room:unmute') => (room: string, user: string, reason?: string) =>
    retried(name, { room, user, ...(reason === undefined ? {} : { reason }), clientMsgId: newClientMsgId() });

  return {
    createRoom: (room) => once('room:create', room),
    updateRoom: (room, settings) => retried('room:update', { room, ...settings, clientMsgId: newClientMsgId() }),
    quit: (room) => retried('room:quit', { room, clientMsgId: newClientMsgId() }),
    deleteRoom: async (room) => void (await once('room:delete', { room })),
    setRole: (room, user, role) => retried('room:role', { room, user, role, clientMsgId: newClientMsgId() }),
    invite: async (room, user) => void (await retried('room:invite', { room, user })),
    kick: sanction('room:kick'),
    ban: sanction('room:ban'),
    mute: sanction('room:mute'),
    unban: lift('room:unban'),
    unmute: lift('room:unmute'),
    members: (room, page) => retried('room:members', { room, ...page }),
    bans: (room, page) => retried('room:bans', { room, ...page }),
    report: async (room, seq, reason) => void (await retried('message:report', { room, seq, reason })),
    reports: (room, page) => retried('room:reports', { room, ...page }),
    closeReport: async (room, id) => void (await once('room:report-close', { room, id })),
  };
}
