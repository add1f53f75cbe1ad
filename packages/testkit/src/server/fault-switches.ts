/** Switches with which tests of a client break the fake server. */
import { type ErrorBody, type ErrorCode, LIMITS } from '@maru/protocol';

/** The server reads each switch when it matters. */
export interface FaultSwitches {
  /** Refuses these tokens as `unauthenticated`. */
  refusedTokens: Set<string>;
  /** Refuses every handshake: the user has too many connections. */
  crowded: boolean;
  /** The code with which a new token is refused; null: it is taken. */
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
  /** This many resumes are reported as recovered, without the missed entries. */
  loseMissed: number;
  /** `session.features` */
  features: string[];
  /** The archive is down: what is older than this `seq` is `unavailable`. */
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
