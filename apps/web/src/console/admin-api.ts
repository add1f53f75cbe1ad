/**
 * The API calls of the console. Each rejects with MaruError. Network problems count as
 * `unavailable`. The token is kept in memory and sent in a header, so forms and frames of other
 * sites cannot use it.
 */
import { ERROR_CATALOGUE, type ErrorCode, MaruError } from '@maru/protocol/errors';
import type { Role } from '@maru/protocol/events';
import type {
  AuditEvent,
  Ban,
  NodeReport,
  OnlineUser,
  Page,
  Report,
  ReportedRoom,
  RoomRow,
  Setting,
  UserDetails,
} from './types.ts';

/** A proxy may keep a call open forever. */
const TIMEOUT_MS = 10_000;
const PAGE = 50;

export type AdminApi = ReturnType<typeof createAdminApi>;

export function createAdminApi(token: string) {
  const call = async <T>(method: string, path: string, body?: unknown, idempotencyKey?: string): Promise<T> => {
    const response = await fetch(`/api/v1${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch(() => null);
    const answer: unknown = await response?.json().catch(() => null);
    if (response?.ok) return answer as T;
    throw new MaruError(codeOf(answer, response?.status), 'the call was refused');
  };
  const get = <T>(path: string, query: Record<string, string | undefined> = {}): Promise<T> => {
    const known = Object.entries(query).filter((one): one is [string, string] => one[1] !== undefined && one[1] !== '');
    return call('GET', known.length === 0 ? path : `${path}?${new URLSearchParams(known)}`);
  };
  const post = (path: string, body?: unknown) => call<unknown>('POST', path, body);
  const at = encodeURIComponent;
  const limit = String(PAGE);

  return {
    nodes: async () => (await get<{ nodes: NodeReport[] }>('/admin/nodes')).nodes,
    drain: (node: string) => post(`/admin/nodes/${at(node)}/drain`),
    rebalance: (node: string) => post(`/admin/nodes/${at(node)}/rebalance`),
    announce: (text: string) => post('/admin/announcements', { text }),
    settings: () => get<{ node: string; settings: Setting[] }>('/admin/settings'),

    users: async (q: string, cursor?: string): Promise<Page<OnlineUser>> => {
      const { users, ...page } = await get<{ users: OnlineUser[]; cursor?: string; missing: string[] }>(
        '/admin/users',
        { q, cursor, limit },
      );
      return { items: users, ...page };
    },
    user: (id: string) => get<UserDetails>(`/admin/users/${at(id)}`),
    disconnect: (id: string, reason: string) => post(`/admin/users/${at(id)}/disconnect`, reasonOf(reason)),
    revoke: (id: string, reason: string) => post(`/admin/users/${at(id)}/revoke`, reasonOf(reason)),

    setRole: (room: string, user: string, role: Role) =>
      call<unknown>('PUT', `/rooms/${at(room)}/members/${at(user)}/role`, { role }),

    rooms: async (q: string, order: 'id' | 'activity', cursor?: string): Promise<Page<RoomRow>> => {
      const { rooms, ...page } = await get<{ rooms: RoomRow[]; cursor?: string; missing?: string[] }>('/admin/rooms', {
        q,
        order,
        cursor,
        limit,
      });
      return { items: rooms, ...page };
    },
    closeRoom: (room: string) => post(`/admin/rooms/${at(room)}/close`),
    openRoom: (room: string) => post(`/admin/rooms/${at(room)}/open`),
    deleteRoom: (room: string) => call<unknown>('DELETE', `/rooms/${at(room)}`),
    bans: async (room: string, cursor?: string): Promise<Page<Ban>> => {
      const { bans, ...page } = await get<{ bans: Ban[]; cursor?: string }>(`/rooms/${at(room)}/bans`, {
        cursor,
        limit,
      });
      return { items: bans, ...page };
    },
    ban: (room: string, user: string, reason: string) =>
      post(`/rooms/${at(room)}/members/${at(user)}/ban`, reasonOf(reason) ?? {}),
    lift: (room: string, { user, kind }: Ban) => post(`/rooms/${at(room)}/members/${at(user)}/un${kind}`, {}),

    reportedRooms: async () => (await get<{ rooms: ReportedRoom[] }>('/admin/reports', { limit: '200' })).rooms,
    reports: async (room: string, cursor?: string): Promise<Page<Report>> => {
      const { reports, ...page } = await get<{ reports: Report[]; cursor?: string }>(`/rooms/${at(room)}/reports`, {
        cursor,
        limit,
      });
      return { items: reports, ...page };
    },
    closeReport: (room: string, id: string) => call<unknown>('DELETE', `/rooms/${at(room)}/reports/${at(id)}`),
    /** The key names the message, so each retry is the same act, also after a reload. */
    deleteMessage: (room: string, seq: number) =>
      call<unknown>('DELETE', `/rooms/${at(room)}/messages/${seq}`, undefined, `console-delete-${seq}`),

    audit: async (query: Record<string, string>, cursor?: string): Promise<Page<AuditEvent>> => {
      const { events, ...page } = await get<{ events: AuditEvent[]; cursor?: string }>('/admin/audit', {
        ...query,
        cursor,
        limit,
      });
      return { items: events, ...page };
    },
  };
}

const reasonOf = (reason: string) => (reason.trim() === '' ? undefined : { reason: reason.trim() });

function codeOf(answer: unknown, status = 503): ErrorCode {
  const code = typeof answer === 'object' && answer !== null ? (answer as { code?: unknown }).code : undefined;
  if (typeof code === 'string' && Object.hasOwn(ERROR_CATALOGUE, code)) return code as ErrorCode;
  return status >= 500 ? 'unavailable' : 'invalid';
}
