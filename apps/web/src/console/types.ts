/** The responses of the calls under `/api/v1/admin`. See docs/protocol.md, "Administration". */

export type Health = 'ok' | 'failing' | 'off';

export interface NodeReport {
  node: string;
  ts: number;
  version: string;
  uptimeS: number;
  connections: number;
  rooms: number;
  cpu: number;
  eventLoop: number;
  memoryBytes: number;
  messagesPerS: number;
  deliveriesPerS: number;
  draining: boolean;
  redis: Health;
  presence: Health;
  archive: Health;
}

export interface OnlineUser {
  id: string;
  name: string;
  connections: number;
  nodes: string[];
}

export interface UserDetails {
  id: string;
  connections: Array<{
    node: string;
    sinceTs: number;
    rooms: number;
    roles: string[];
    transport: 'websocket' | 'polling';
    program?: string;
  }>;
  rooms: string[];
  revokedTs?: number;
  missing: string[];
}

export interface RoomRow {
  room: string;
  title: string;
  visibility: 'public' | 'private' | 'direct';
  closed: boolean;
  readOnly: boolean;
  roles: number;
  entries: number;
  connections?: number;
  entriesPerS?: number | null;
}

export interface ReportedRoom {
  room: string;
  reports: number;
  lastTs: number;
}

export interface Report {
  id: string;
  seq: number;
  from: string;
  by: string;
  reason: string;
  ts: number;
}

export interface Ban {
  user: string;
  kind: 'ban' | 'mute';
  untilTs?: number;
  by: string;
  reason?: string;
}

export interface AuditEvent {
  id: string;
  ts: number;
  action: string;
  by: string;
  user?: string;
  room?: string;
  node?: string;
  seq?: number;
  role?: string;
  untilTs?: number;
  reason?: string;
  outcome?: string;
  /** The address from which a user signed in. */
  address?: string;
}

export interface Setting {
  name: string;
  doc: string;
  value: string | null;
  secret: boolean;
}

/** `cursor`: where the next page begins. Absent on the last page. */
export interface Page<T> {
  items: T[];
  cursor?: string | undefined;
  /** Nodes that did not answer. */
  missing?: string[] | undefined;
}
