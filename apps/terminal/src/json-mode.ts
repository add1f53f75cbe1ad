/**
 * JSON lines for pipes. Output: one object for each event. Input: each line is a message or a JSON
 * object: `{"type":"send","text"}`, `{"type":"edit","seq","text"}`, `{"type":"delete","seq"}`,
 * `{"type":"history","before","limit"}`, `{"type":"search","query"}`. Ends when the input has ended
 * and each of its lines has its outcome.
 */
import { createInterface, type Interface } from 'node:readline';
import type { OutgoingMessage } from '@maru/client';
import { MaruError } from '@maru/protocol/errors';
import { Chat, type ChatOptions } from './chat.ts';
import { answerTo, type Told } from './json-requests.ts';

export interface JsonStreams {
  input: NodeJS.ReadableStream;
  print: (line: string) => void;
}

/** Lines without an outcome. Fewer than the client's outbox takes, so that it refuses none. */
const WAITING_LINES_MAX = 100;

/**
 * Resolves with the exit code: 0, or 1 if the session ended, or a message or a request failed.
 */
export const runJson = (options: ChatOptions & { room: string }, streams: JsonStreams): Promise<number> =>
  new JsonMode(options, streams).run();

class JsonMode {
  readonly #chat: Chat;
  readonly #lines: Interface;
  readonly #print: JsonStreams['print'];
  readonly #exit = Promise.withResolvers<number>();
  /** Requests without an answer. */
  #running = 0;
  #hasFailed = false;
  #isInputOver = false;
  #isOver = false;
  #connection = '';
  #onSpace = () => {};

  constructor(options: ChatOptions & { room: string }, { input, print }: JsonStreams) {
    this.#print = print;
    this.#lines = createInterface({ input });
    this.#chat = new Chat(options, {
      onChange: () => this.#tellConnection(),
      onEntries: (room, entries) => {
        for (const entry of entries) this.#tell({ type: 'entry', room, entry });
      },
      onOutgoing: (message) => this.#onOutgoing(message),
      onEnded: (reason) => {
        this.#tell({ type: 'ended', reason });
        this.#finish(1);
      },
    });
    const { client } = this.#chat;
    client.on('room', (event) => {
      if (event.status !== 'joining') this.#tell({ type: 'room', ...event });
    });
    client.on('gap', (gap) => this.#tell({ type: 'gap', ...gap }));
    client.on('rollback', (epoch) => this.#tell({ type: 'epoch', ...epoch }));
    client.on('notice', (notice) => this.#tell({ type: 'notice', ...notice }));
  }

  run(): Promise<number> {
    this.#chat.connect();
    this.#read().catch(this.#exit.reject);
    return this.#exit.promise;
  }

  async #read(): Promise<void> {
    let number = 0;
    for await (const line of this.#lines) {
      await this.#space();
      if (this.#isOver) return;
      number++;
      this.#answer(line, number).catch(this.#exit.reject);
    }
    this.#isInputOver = true;
    this.#settled();
  }

  async #answer(text: string, line: number): Promise<void> {
    this.#running++;
    try {
      const answer = await answerTo(this.#chat, text);
      if (answer !== null) this.#tell({ ...answer, line });
    } catch (error) {
      if (!(error instanceof MaruError)) throw error;
      this.#hasFailed = true;
      this.#tell({ type: 'error', line, code: error.code, message: error.message });
    } finally {
      this.#running--;
      this.#settled();
    }
  }

  #onOutgoing({ room, clientMsgId, state }: OutgoingMessage): void {
    if (state.kind === 'sending') return;
    if (state.kind === 'stored') this.#tell({ type: 'stored', room, clientMsgId });
    else {
      this.#hasFailed = true;
      this.#tell({ type: 'failed', room, clientMsgId, code: state.error.code });
      // The outbox would keep it for another try.
      this.#chat.client.discard(clientMsgId);
    }
    this.#settled();
  }

  get #waiting(): number {
    return this.#running + this.#chat.client.pending().length;
  }

  /** Resolves when another line may be taken. */
  #space(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSpace = resolve;
      this.#settled();
    });
  }

  /** Fewer lines may wait than before. */
  #settled(): void {
    if (this.#waiting < WAITING_LINES_MAX) this.#onSpace();
    if (this.#isInputOver && this.#waiting === 0) this.#finish(this.#hasFailed ? 1 : 0);
  }

  #tellConnection(): void {
    const { state } = this.#chat.client.connection;
    if (state === this.#connection) return;
    this.#connection = state;
    this.#tell({ type: 'connection', state });
  }

  #tell(event: Told): void {
    if (!this.#isOver) this.#print(JSON.stringify(event));
  }

  /** Closes the input, so that nothing keeps the process. */
  #finish(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#lines.close();
    this.#chat.close();
    this.#exit.resolve(code);
    this.#onSpace();
  }
}
