/** Switches that make the fake server misbehave, for tests of a client. */
import { type ErrorBody, type ErrorCode, LIMITS } from '@maru/protocol';

/** The server reads each switch when it is relevant. */
export interface FaultSwitches {
  /** Refuses these tokens as `unauthenticated`. */
  refusedTokens: Set<string>;
  /** Refuses every handshake because the user has too many connections. */
  crowded: boolean;
  /** The error code for new tokens. Null: they are accepted. */
  refuseRenewal: ErrorCode | null;
  /** Stores this many messages without acknowledging them. */
  swallowSendAcks: number;
  /** Refuses this many sends with an error. */
  refuseSends: { times: number; error: ErrorBody } | null;
  /** Refuses this many acts on messages with an error. */
  refuseActs: { times: number; error: ErrorBody } | null;
  /** Answers `rooms:mine` with `unavailable`. */
  refuseRoomLists: boolean;
  /** Stores this many entries without delivering them. */
  loseEntries: number;
  /** Reports this many resumes as recovered, but without the missed entries. */
  loseMissed: number;
  /** `session.features` */
  features: string[];
  /** The archive is down: entries below this `seq` are `unavailable`. */
  archivedBelow: number;
  /** A resume does not close a larger gap. */
  resumeEntriesMax: number;
}

export const noFaults = (): FaultSwitches => ({
  refusedTokens: new Set(),
  crowded: false,
  refuseRenewal: null,
  swallowSendAcks: 0,
  refuseSends: null,
  refuseActs: null,
  refuseRoomLists: false,
  loseEntries: 0,
  loseMissed: 0,
  features: ['archive'],
  archivedBelow: 0,
  resumeEntriesMax: LIMITS.resumeEntriesMax,
});
