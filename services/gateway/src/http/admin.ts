/** Calls under `/api/v1/admin`, for tokens with the role `admin`. Each act is audited. */
import { httpSchemas, LIMITS, parsePayload, roomId, userId } from '@maru/protocol';
import express, { type Router } from 'express';
import type { ReadAudit } from '../audit/read-audit.ts';
import type { GiveOrder } from '../revocation/audited-orders.ts';
import type { CarryOut } from '../rooms/acts.ts';
import { administrators, type Callers, wrongMethod } from './calls.ts';

export interface AdminDeps extends Callers {
  giveOrder: GiveOrder;
  readAudit: ReadAudit;
  carryOut: CarryOut;
}

export function createAdminRoutes(deps: AdminDeps): Router {
  const { giveOrder, readAudit, carryOut } = deps;
  const admin = administrators(deps);
  const routes = express.Router();

  routes
    .route('/users/:id/revoke')
    .post(
      admin(async (request, response, { user: { id: by } }) => {
        const user = parsePayload(userId, request.params.id);
        const { reason } = parsePayload(httpSchemas.revoke, request.body ?? {});
        const why = reason === undefined ? {} : { reason };
        const { atMs } = await giveOrder('revoke', user, { action: 'user.revoke', by, user, ...why });
        response.json({ revokedAt: atMs });
      }),
    )
    .all(wrongMethod('POST'));

  routes
    .route('/users/:id/disconnect')
    .post(
      admin(async (request, response, { user: { id: by } }) => {
        const user = parsePayload(userId, request.params.id);
        const { reason } = parsePayload(httpSchemas.disconnect, request.body ?? {});
        const why = reason === undefined ? {} : { reason };
        await giveOrder('disconnect', user, { action: 'user.disconnect', by, user, ...why });
        response.json({});
      }),
    )
    .all(wrongMethod('POST'));

  for (const type of ['close', 'open'] as const)
    routes
      .route(`/rooms/:room/${type}`)
      .post(
        admin(async (request, response, actor) => {
          const room = parsePayload(roomId, request.params.room);
          const sent = await carryOut(actor, { room, act: { type } });
          response.json({ seq: sent?.seq });
        }),
      )
      .all(wrongMethod('POST'));

  routes
    .route('/audit')
    .get(
      admin(async (request, response) => {
        const {
          kind = 'acts',
          limit = LIMITS.pageEntriesDefault,
          ...query
        } = parsePayload(httpSchemas.audit, request.query);
        response.json(await readAudit({ kind, limit, ...query }));
      }),
    )
    .all(wrongMethod('GET'));

  return routes;
}
