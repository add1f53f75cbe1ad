/** The options of a careful client, and its reports during the run and at the end. */
import type { Entry } from '@maru/protocol/events';
import type { AuditCounts } from '../checker/member-audit.ts';
import type { Violations } from '../checker/member-log.ts';
import type { Ending } from './connection.ts';
import type { ActRequest, ConversationCounts } from './conversation.ts';
import type { Runtime } from './runtime.ts';

const DIFFERENCES_SHOWN = 3;

/** Called during the run. The calls must be cheap and must not throw. */
export interface ClientReport {
  opened(tookMs: number): void;
  /** The client has received all missed entries, `tookMs` after it started to reconnect. */
  resumed(tookMs: number): void;
  /** The server declared a gap in a resumed room. */
  notRecovered(reason: string): void;
  connectionFailed(ending: Ending): void;
  requestFailed(event: string, code: string): void;
  /** A message was sent. Not called for acts. */
  sent(atMs: number): void;
  /** Not called for messages that were sent again. */
  acknowledged(sentAtMs: number, tookMs: number): void;
  received(entry: Entry, receivedAtMs: number): void;
  /** An act on a message was acknowledged. */
  acted?(name: ActRequest['event'] | 'room:read', tookMs: number): void;
}

export interface RoomVerdict extends Violations, AuditCounts, ConversationCounts {
  room: string;
  delivered: number;
  sendsSwapped: number;
  /** Sends that were neither acknowledged nor refused permanently. */
  unresolved: number;
}

export interface ClientVerdict {
  /** One for each room that could be checked. */
  rooms: RoomVerdict[];
  /** Entries of rooms that the client had not joined. */
  strays: number;
  /** The client joined and resumed all rooms, and checked them. */
  complete: boolean;
  /** Short descriptions of differences between views or counts and fresh reads, without texts. */
  differences: string[];
}

export interface CarefulClientOptions {
  url: string;
  token: string;
  /** Unique for a run. All its `clientMsgId`s begin with it. */
  run: string;
  /** Unique for a client of the run. Begins with `run`. */
  name: string;
  runtime: Runtime;
  openTimeoutMs: number;
  ackTimeoutMs: number;
  /** The client must have everything by then. It does not reconnect or send later. */
  settledByMs: number;
  /** Keep a view of each room, and compare it with fresh reads at the end. */
  conversations?: boolean;
  report: ClientReport;
}

/** One line for a log, without tokens and texts. Undefined if everything is correct. */
export function describeVerdict(name: string, verdict: ClientVerdict): string | undefined {
  const faults = verdict.rooms.flatMap(({ room, delivered: _, ...counts }) =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([what, count]) => `${room} ${what}=${count}`),
  );
  if (verdict.strays > 0) faults.push(`strays=${verdict.strays}`);
  if (verdict.differences.length > 0) faults.push(...verdict.differences.slice(0, DIFFERENCES_SHOWN));
  if (!verdict.complete) faults.push('not every room could be checked');
  return faults.length === 0 ? undefined : `${name}: ${faults.join(', ')}`;
}
