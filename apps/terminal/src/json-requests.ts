/** What a line of the JSON mode's input asks for, and what it is answered. */
import type { ActOutcome } from '@maru/client/conversation';
import { MaruError } from '@maru/protocol/errors';
import type { Chat } from './chat.ts';

type Request = Record<string, unknown> & { type: string };
/** One object of the output. */
export type Told = Record<string, unknown> & { type: string };

/** Null for an empty line. A line that is no JSON object is a message. */
function requestOf(line: string): Request | null {
  if (line.trim() === '') return null;
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null && 'type' in parsed && typeof parsed.type === 'string')
      return parsed as Request;
  } catch {
    // It is a message.
  }
  return { type: 'send', text: line };
}

/**
 * Resolves with the answer, or null for an empty line. A message is answered when it is queued.
 * @throws MaruError
 */
export async function answerTo(chat: Chat, line: string): Promise<Told | null> {
  const request = requestOf(line);
  if (request === null) return null;
  const { conversation, client } = chat;
  const { room } = conversation;
  const text = String(request.text ?? '');
  switch (request.type) {
    case 'send':
      return { type: 'queued', clientMsgId: client.send(room, text).clientMsgId };
    case 'edit':
      return { type: 'edited', ...seqOf(await conversation.edit(targetOf(request), text)) };
    case 'delete':
      return { type: 'deleted', ...seqOf(await conversation.delete(targetOf(request))) };
    case 'history': {
      const { before, limit } = request as { before?: number; limit?: number };
      await chat.whenConnected();
      const page = { room, ...(before === undefined ? {} : { before }), ...(limit === undefined ? {} : { limit }) };
      return { type: 'history', ...(await client.readMessages(page)) };
    }
    case 'search':
      await chat.whenConnected();
      return { type: 'found', ...(await client.search({ room, query: String(request.query ?? '') })) };
    default:
      throw new MaruError('invalid', `there is no request ${request.type}`);
  }
}

function targetOf({ seq }: Request): number {
  if (!Number.isSafeInteger(seq)) throw new MaruError('invalid', 'seq must be a number');
  return Number(seq);
}

function seqOf(outcome: ActOutcome): { seq: number } {
  if (outcome.ok) return { seq: outcome.seq };
  throw new MaruError(outcome.error.code, outcome.error.message);
}
