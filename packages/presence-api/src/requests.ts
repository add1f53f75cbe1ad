/** Requests of gateways. The service validates them, so a faulty gateway cannot cause damage. */
import { LIMITS, requestSchemas, roomId, userId } from '@maru/protocol';
import { z } from 'zod';
import { COUNTS_ROOMS_MAX, REPORT_OPS_MAX } from './limits.ts';

export const nodeName = z.string().regex(/^[A-Za-z0-9-]{1,63}$/, 'is 1 to 63 letters, digits or dashes');

/** Microseconds of the clock of Redis. */
const microseconds = z.int().min(0);

/** Begins an epoch. */
export const syncRequest = z.object({
  /** A random name of the gateway's process. */
  process: z.string().regex(/^[A-Za-z0-9_-]{8,64}$/),
  /** `startedAt` of the first answer to this process. Absent in the first request. */
  startedAt: microseconds.optional(),
});
export type SyncRequest = z.input<typeof syncRequest>;

export const renewRequest = z.object({
  nodeEpoch: microseconds,
  /** The last acknowledged report. */
  seq: z.int().min(0),
});
export type RenewRequest = z.input<typeof renewRequest>;

export const departRequest = z.object({ nodeEpoch: microseconds });
export type DepartRequest = z.input<typeof departRequest>;

/** The name comes from a verified token. Here only its length is limited, in UTF-16 units. */
const user = z.object({
  id: userId,
  name: z
    .string()
    .min(1)
    .max(LIMITS.nameCharsMax * 4),
});

export const operation = z.discriminatedUnion('op', [
  z.object({ op: z.literal('enter'), room: roomId, user }),
  z.object({ op: z.literal('leave'), room: roomId, userId }),
  z.object({
    op: z.literal('status'),
    userId,
    status: requestSchemas['presence:set'].shape.status,
    text: requestSchemas['presence:set'].shape.text,
    /** Part of a full state: does not replace a status that was set since on another node. */
    ifAbsent: z.boolean().default(false),
  }),
]);
/** An operation as a gateway sends it. */
export type Operation = z.input<typeof operation>;
/** An operation after validation. */
export type ValidOperation = z.output<typeof operation>;

/**
 * Stores a user's status immediately, so that it applies to rooms entered after the answer. The
 * gateway then announces it with a `status` operation.
 */
export const statusRequest = z.object({
  status: requestSchemas['presence:set'].shape.status,
  text: requestSchemas['presence:set'].shape.text,
  /** The user is in no room of the gateway. The status is then kept for the next visit. */
  isOutside: z.boolean(),
});
export type StatusRequest = z.input<typeof statusRequest>;

export const reportRequest = z.object({
  nodeEpoch: microseconds,
  /** 1, 2, 3 … within the epoch. */
  seq: z.int().min(1),
  /** Operations. Each is validated on its own, so that an invalid one does not block the others. */
  ops: z.array(z.unknown()).max(REPORT_OPS_MAX),
  /** This report completes the full state with which the epoch began. */
  commit: z.boolean().default(false),
});
export type ReportRequest = z.input<typeof reportRequest> & { ops: Operation[] };
export type ValidReport = z.output<typeof reportRequest>;

export const usersRequest = z.object({
  /** The requester. */
  reader: userId,
  users: z.array(userId).max(LIMITS.presenceUsersMax),
});

export const countsRequest = z.object({ rooms: z.array(roomId).max(COUNTS_ROOMS_MAX) });
