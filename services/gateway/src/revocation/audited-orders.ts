/** Gives the orders of administrators and users, and audits them. */
import type { Audit, AuditEvent } from '../audit/audit.ts';
import type { OrderKind, Orders } from './orders.ts';

/**
 * Rejects `unavailable`. The order may be carried out all the same: its answer was lost, or too few
 * replicas have it. So the audit has it with the outcome `unknown`.
 */
export type GiveOrder = (kind: OrderKind, target: string, event: AuditEvent) => Promise<{ atMs: number }>;

export function createGiveOrder({ orders, audit }: { orders: Pick<Orders, 'give'>; audit: Audit }): GiveOrder {
  return async (kind, target, event) => {
    try {
      const given = await orders.give(kind, target);
      audit.record(event);
      return given;
    } catch (error) {
      audit.record({ ...event, outcome: 'unknown' });
      throw error;
    }
  };
}
