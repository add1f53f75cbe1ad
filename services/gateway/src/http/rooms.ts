/** Calls about rooms. */
import {
  clientMsgId,
  httpSchemas,
  LIMITS,
  MaruError,
  type PresenceSnapshot,
  parsePayload,
  roomId,
} from '@maru/protocol';
import express, { type Router } from 'express';
import type { Identity } from '../identity/tokens.ts';
import { eventsOf, ROOMS_PER_EVENT } from '../limits/answer-cost.ts';
import type { ReadHistory } from '../requests/history.ts';
import type { SendMessage } from '../requests/messages.ts';
import type { RoomDirectory } from '../rooms/directory.ts';
import { type Callers, signedIn, wrongMethod } from './calls.ts';

export interface RoomDeps extends Callers {
  tokens: { isRevoked(identity: Identity): boolean };
  directory: RoomDirectory;
  sendMessage: SendMessage;
  readHistory: ReadHistory;
  /** Rejects `not_found` if the user may not see the room. */
  presence: (userId: string, room: string) => Promise<PresenceSnapshot>;
  onlineCounts: (rooms: string[]) => Promise<Record<string, number>>;
}

export function createRoomRoutes(deps: RoomDeps): Router {
  const { userLimit } = deps;
  const member = signedIn(deps);
  const routes = express.Router();

  routes
    .route('/rooms')
    .get(
      member(async (request, response, { user }) => {
        const { cursor, limit = LIMITS.pageEntriesDefault } = parsePayload(httpSchemas.rooms, request.query);
        userLimit.charge(user.id, limit / ROOMS_PER_EVENT);
        const page = await deps.directory.listPublic({ cursor, limit });
        userLimit.charge(user.id, (page.rooms.length - limit) / ROOMS_PER_EVENT);
        const counts = await deps.onlineCounts(page.rooms.map(({ room }) => room));
        const rooms = page.rooms.map((room) => ({ ...room, online: counts[room.room] ?? 0 }));
        response.json(page.cursor === undefined ? { rooms } : { rooms, cursor: page.cursor });
      }),
    )
    .all(wrongMethod('GET'));

  routes
    .route('/rooms/:room/messages')
    .get(
      member(async (request, response, { user }) => {
        const room = parsePayload(roomId, request.params.room);
        const { limit = LIMITS.pageEntriesDefault, ...query } = parsePayload(httpSchemas.history, request.query);
        const { data, bytes } = await deps.readHistory(user.id, { room, limit, ...query });
        userLimit.charge(user.id, eventsOf(bytes));
        response.json(data);
      }),
    )
    .post(
      member(async (request, response, identity) => {
        const room = parsePayload(roomId, request.params.room);
        const key = request.get('Idempotency-Key');
        if (key === undefined) throw new MaruError('invalid', 'Idempotency-Key: the header is required');
        const id = parsePayload(clientMsgId, key);
        const { text } = parsePayload(httpSchemas.post, request.body);
        const sender = {
          roles: identity.roles,
          get revoked() {
            return deps.tokens.isRevoked(identity);
          },
        };
        const sent = await deps.sendMessage(identity.user, { room, clientMsgId: id, text }, sender);
        response.status(sent.duplicate ? 200 : 201).json(sent);
      }),
    )
    .all(wrongMethod('GET, POST'));

  routes
    .route('/rooms/:room/presence')
    .get(
      member(async (request, response, { user }) => {
        const room = parsePayload(roomId, request.params.room);
        response.json(await deps.presence(user.id, room));
      }),
    )
    .all(wrongMethod('GET'));

  // Other methods answer 404: a room itself cannot be read.
  routes.route('/rooms/:room').delete(
    member(async (request, response, actor) => {
      await deps.directory.delete(actor, parsePayload(roomId, request.params.room));
      response.json({});
    }),
  );
  return routes;
}
