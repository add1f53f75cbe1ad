/** The other members of a race: they chat in its room and check that they miss nothing. */
import type { Entry, ResumedRoom } from '@maru/protocol';
import type { RoomChecker } from '@maru/testkit/checker/room-checker';
import { sleep } from '../support/poll.ts';
import { WireClient } from './wire-client.ts';

const REFUSED_PAUSE_MS = 20;

/** One user with one connection, for all rounds. */
export class RaceMember {
  readonly user: string;
  readonly #token: string;
  #endpoint: string;
  #client: WireClient;
  #connection = 0;
  #round: { room: string; checker: RoomChecker; isOver: () => boolean } | undefined;
  #sent = 0;
  /** Refusals that are not the effect of an act. */
  refused = 0;

  constructor(options: { user: string; token: string; endpoint: string }) {
    this.user = options.user;
    this.#token = options.token;
    this.#endpoint = options.endpoint;
    this.#client = this.#open();
  }

  async ready(): Promise<void> {
    await this.#client.ready;
  }

  async enter(round: { room: string; checker: RoomChecker; isOver: () => boolean }): Promise<void> {
    const { room, checker } = round;
    this.#round = round;
    const reply = await this.#client.request('room:join', { room, limit: 1 }, (answer) => {
      if (answer !== 'cut' && answer.ok) checker.joined(this.user, answer.data);
    });
    if (reply === 'cut' || !reply.ok) throw new Error(`${this.user} could not join: ${JSON.stringify(reply)}`);
  }

  /** Sends messages one after the other. */
  async chat(): Promise<void> {
    while (this.#round?.isOver() === false) {
      // A new connection sends nothing before its session.
      await this.#client.ready.catch(() => {});
      await this.#sendOne();
      await this.#client.ready.catch(() => {});
      this.#client.emit('typing', { room: this.#round?.room, active: true });
    }
  }

  /** Loses the connection and resumes on another node. */
  async move(endpoint: string): Promise<void> {
    this.#endpoint = endpoint;
    this.#client.cut();
    this.#client = this.#open();
    await this.#client.ready;
  }

  async leave(): Promise<void> {
    const room = this.#round?.room;
    this.#round = undefined;
    if (room !== undefined) await this.#client.request('room:leave', { room });
  }

  close(): void {
    this.#client.cut();
  }

  async #sendOne(): Promise<void> {
    const round = this.#round;
    if (round === undefined) return;
    const { room, checker } = round;
    const [clientMsgId, text] = [`${this.user}-${++this.#sent}`, `${this.#sent} of ${this.user}`];
    const connection = `${this.user}/${this.#connection}`;
    const attempt = checker.sent({ user: this.user, connection, clientMsgId, text });
    const reply = await this.#client.request('message:send', { room, clientMsgId, text });
    if (reply === 'cut') {
      // `move` opens the next connection.
      await sleep(1);
      return;
    }
    if (reply.ok) return attempt.stored(reply.data);
    attempt.refused();
    this.refused++;
    await sleep(reply.error.retryAfterMs ?? REFUSED_PAUSE_MS);
  }

  #open(): WireClient {
    this.#connection++;
    const position = this.#round?.checker.position(this.user);
    const asked = this.#round?.room;
    return new WireClient(this.#endpoint, {
      token: this.#token,
      ...(position === undefined || asked === undefined ? {} : { resume: { [asked]: position } }),
      onEvent: (event, payload) => {
        const { room, checker } = this.#round ?? {};
        if (event === 'session' && checker !== undefined && room !== undefined) {
          const answer = (payload as { rooms: Record<string, ResumedRoom> }).rooms[room];
          if (answer === undefined || 'error' in answer)
            checker.violations.push(`I2: ${this.user} could not resume: ${JSON.stringify(answer)}`);
          else checker.resumed(this.user, answer);
        }
        if (event === 'message' && (payload as Entry).room === room) checker?.received(this.user, payload as Entry);
      },
    });
  }
}
