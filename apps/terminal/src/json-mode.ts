/**
 * JSON lines for pipes. Output: one object for each event. Input: each line is a message or a JSON
 * object: `{"type":"send","text"}`, `{"type":"edit","seq","text"}`, `{"type":"delete","seq"}`,
 * `{"type":"history","before","limit"}`, `{"type":"search","query"}`. The program ends when the
 * input has ended and all messages are stored.
 */
import { createInterface } from 'node:readline';
import type { ConnectionState, OutgoingMessage } from '@maru/client';
import type { ActOutcome } from '@maru/client/conversation';
import { MaruError } from '@maru/protocol/errors';
import { Chat, type ChatOptions } from './chat.ts';

export interface JsonStreams {
  input: NodeJS.ReadableStream;
  print: (line: string) => void;
}

type Request = Record<string, unknown> & { type: string };

/** Resolves with the exit code: 0, or 1 if the session ended or a message failed. */
export function runJson(options: ChatOptions & { room: string }, { input, print }: JsonStreams): Promise<number> {
  return new Promise((resolve) => {
    const tell = (event: object) => print(JSON.stringify(event));
    let hasFailed = false;
    let isInputOver = false;
    const finish = (code: number) => {
      chat.close();
      resolve(code);
    };
    const finishWhenStored = () => {
      const waits = chat.client.pending().some(({ state }) => state.kind !== 'failed');
      if (isInputOver && !waits) finish(hasFailed ? 1 : 0);
    };
    const chat = new Chat(options, {
      onChange: () => tellConnection(chat.client.connection),
      onEntries: (room, entries) => {
        for (const entry of entries) tell({ type: 'entry', room, entry });
      },
      onOutgoing: (message) => {
        const outcome = outcomeOf(message);
        if (outcome === null) return;
        if (outcome.type === 'failed') hasFailed = true;
        tell(outcome);
        finishWhenStored();
      },
      onEnded: (reason) => {
        tell({ type: 'ended', reason });
        finish(1);
      },
    });
    let reported = '';
    const tellConnection = ({ state }: ConnectionState) => {
      if (state === reported) return;
      reported = state;
      tell({ type: 'connection', state });
    };
    const lines = createInterface({ input });
    lines.on('line', (line) => void carryOut(chat, line, tell).catch((error: unknown) => tell(problemOf(error))));
    lines.on('close', () => {
      isInputOver = true;
      finishWhenStored();
    });
    chat.connect();
  });
}

const problemOf = (error: unknown) => {
  if (!(error instanceof MaruError)) throw error;
  return { type: 'error', code: error.code, message: error.message };
};

function outcomeOf({ room, clientMsgId, state }: OutgoingMessage) {
  if (state.kind === 'stored') return { type: 'stored', room, clientMsgId };
  if (state.kind === 'failed') return { type: 'failed', room, clientMsgId, code: state.error.code };
  return null;
}

async function carryOut(chat: Chat, line: string, tell: (event: object) => void): Promise<void> {
  const request = requestOf(line);
  if (request === null) return;
  const { conversation, client } = chat;
  const { room } = conversation;
  const tellOutcome = (type: string, outcome: ActOutcome) =>
    tell(outcome.ok ? { type, seq: outcome.seq } : { type: 'error', ...outcome.error });
  switch (request.type) {
    case 'send': {
      const { clientMsgId } = client.send(room, String(request.text ?? ''));
      return tell({ type: 'queued', clientMsgId });
    }
    case 'edit':
      return tellOutcome('edited', await conversation.edit(Number(request.seq), String(request.text ?? '')));
    case 'delete':
      return tellOutcome('deleted', await conversation.delete(Number(request.seq)));
    case 'history': {
      const { before, limit } = request as { before?: number; limit?: number };
      const page = { room, ...(before === undefined ? {} : { before }), ...(limit === undefined ? {} : { limit }) };
      return tell({ type: 'history', ...(await client.readMessages(page)) });
    }
    case 'search':
      return tell({ type: 'found', ...(await client.search({ room, query: String(request.query ?? '') })) });
    default:
      return tell({ type: 'error', code: 'invalid', message: `there is no request ${request.type}` });
  }
}

/** Null for an empty line. A line that is not a JSON object is a message. */
export function requestOf(line: string): Request | null {
  if (line.trim() === '') return null;
  try {
    const parsed: unknown = JSON.parse(line);
    if (typeof parsed === 'object' && parsed !== null && 'type' in parsed && typeof parsed.type === 'string')
      return parsed as Request;
  } catch {
    // The line is not JSON, so it is a message.
  }
  return { type: 'send', text: line };
}
