/** What gateways send, validated at the edge. The secret makes them trusted; the schemas keep a faulty one from doing harm. */
import { LIMITS, requestSchemas, roomId, userId } from '@maru/protocol';
import { z } from 'zod';
import { BOUNDS } from './settings.ts';

export const nodeName = z.string().regex(/^[A-Za-z0-9-]{1,63}$/, 'is 1 to 63 letters, digits or dashes');

const microseconds = z.int().min(0);

export const syncBody = z.object({
  /** A random name of the gateway's process. */
  process: z.string().regex(/^[A-Za-z0-9_-]{8,64}$/),
  /** What the first answer to this process said; left out the first time. */
  startedAt: microseconds.optional(),
});

export const beatBody = z.object({ nodeEpoch: microseconds, seq: z.int().min(0) });

export const departBody = z.object({ nodeEpoch: microseconds });

/** The name comes from a verified token; it is only bounded here, in UTF-16 units. */
const user = z.object({
  id: userId,
  name: z
    .string()
    .min(1)
    .max(LIMITS.nameCharsMax * 4),
});

export const op = z.discriminatedUnion('op', [
  z.object({ op: z.literal('enter'), room: roomId, user }),
  z.object({ op: z.literal('leave'), room: roomId, userId }),
  z.object({
    op: z.literal('status'),
    userId,
    status: requestSchemas['presence:set'].shape.status,
    text: requestSchemas['presence:set'].shape.text,
    /** Part of a full state: must not overrule what was set elsewhere since. */
    ifAbsent: z.boolean().default(false),
  }),
]);

export type Op = z.output<typeof op>;

export const reportBody = z.object({
  nodeEpoch: microseconds,
  /** 1, 2, 3 … within the epoch. */
  seq: z.int().min(1),
  /** Each is validated by itself: one that is wrong must not keep the others from being heard. */
  ops: z.array(z.unknown()).max(BOUNDS.reportOpsMax),
  /** The full state that the epoch began with is complete with this report. */
  commit: z.boolean().default(false),
});

export type Report = z.output<typeof reportBody>;

export const countsBody = z.object({ rooms: z.array(roomId).max(BOUNDS.countsRoomsMax) });
