/** The clients of a run: connects them, sends on their behalf at a pace that waits for nobody, and keeps the ledger. */
import { performance } from 'node:perf_hooks';
import { Histogram } from '../measure/histogram.ts';
import { BenchSocket, type JoinAnswer } from './bench-socket.ts';
import type { Plan, WindowFigures } from './commands.ts';
import { clientFrame, markOf } from './frames.ts';
import { Receipts, type Verdict } from './ledger.ts';
import { mintToken } from './token.ts';

const TICK_MS = 1;
const SETTLE_STEP_MS = 50;
const CONNECT_DEADLINE_MS = 60_000;
const MESSAGES_MAX = 1_000_000;

interface Client {
  index: number;
  room: number;
  token: string;
  receipts: Receipts;
  socket: BenchSocket | undefined;
  epoch: string | undefined;
}

interface Room {
  name: string;
  members: number[];
  /** When each message was written, in µs, by number. */
  sentUs: number[];
  nextSender: number;
}

const COUNTED = ['wallUs', 'sent', 'deliveries', 'connectUs', 'putOff', 'cpuUs', 'loopActiveMs'] as const;
/** Counts that only grow. */
type Counts = Record<(typeof COUNTED)[number], number>;
const NOTHING = Object.fromEntries(COUNTED.map((name) => [name, 0])) as Counts;

const nowUs = (): number => performance.now() * 1_000;

export class Crowd {
  readonly #plan: Plan;
  readonly #clients: Client[];
  readonly #rooms: Room[];
  /** By the id of the acknowledgement: when it was sent; 0 once answered. */
  readonly #sentUs = new Float64Array(MESSAGES_MAX);
  #sent = 0;
  #answered = 0;
  #refused = 0;
  #strays = 0;
  #lost = 0;
  #deliveries = 0;
  #putOff = 0;
  #sending: NodeJS.Timeout | undefined;
  readonly #deliveryUs = new Histogram();
  readonly #ackUs = new Histogram();
  readonly #latenessUs = new Histogram();
  readonly #joinUs = new Histogram();
  /** No window is open while this lies ahead. */
  #windowFromUs = Number.POSITIVE_INFINITY;
  #atOpen: Counts = NOTHING;
  /** Of all windows that were shut. */
  #total: Counts = NOTHING;
  #connectUs = 0;
  readonly #padding: string;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#padding = 'x'.repeat(plan.textBytes);
    this.#rooms = Array.from({ length: plan.rooms }, (_, room) => ({
      name: `bench-${room}`,
      members: [],
      sentUs: [],
      nextSender: 0,
    }));
    this.#clients = Array.from({ length: plan.clients }, (_, index) => {
      const room = index % plan.rooms;
      this.#rooms[room]?.members.push(index);
      const token = mintToken(plan.secret, `bench-${index}`);
      return { index, room, token, receipts: new Receipts(), socket: undefined, epoch: undefined };
    });
  }

  /** Connects clients `from` to `to`, so many at a time, and resolves once all are in their rooms. */
  async connect(from: number, to: number, concurrency: number, resume: boolean): Promise<void> {
    const startUs = nowUs();
    let next = from;
    const worker = async () => {
      while (next < to) {
        const client = this.#clients[next++] as Client;
        const dialledUs = nowUs();
        await this.#dial(client, resume);
        if (dialledUs >= this.#windowFromUs) this.#joinUs.record(nowUs() - dialledUs);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    this.#connectUs += nowUs() - startUs;
  }

  close(from: number, to: number, abruptly: boolean): void {
    for (const client of this.#clients.slice(from, to)) {
      client.socket?.close(abruptly);
      client.socket = undefined;
    }
  }

  /**
   * Sends from now on: `perSecond` in all, `burst` of them at a time, each by the next member of one room, the rooms in turn.
   * Only the first `senders` members of a room send.
   */
  send(perSecond: number, burst: number, senders: number): void {
    const startUs = nowUs();
    const periodUs = (1_000_000 * burst) / perSecond;
    let bursts = 0;
    this.#sending = setInterval(() => {
      for (let dueUs = startUs + bursts * periodUs; dueUs <= nowUs(); dueUs = startUs + ++bursts * periodUs) {
        if (dueUs >= this.#windowFromUs) this.#latenessUs.record(nowUs() - dueUs);
        const room = bursts % this.#plan.rooms;
        for (let count = 0; count < burst; count++) this.#sendOne(room, senders);
      }
    }, TICK_MS);
  }

  pause(): void {
    clearInterval(this.#sending);
  }

  open(): void {
    this.#atOpen = this.#counts();
    this.#windowFromUs = nowUs();
  }

  shut(): void {
    const [from, to, total] = [this.#atOpen, this.#counts(), this.#total];
    this.#total = Object.fromEntries(COUNTED.map((name) => [name, total[name] + to[name] - from[name]])) as Counts;
    this.#windowFromUs = Number.POSITIVE_INFINITY;
  }

  /** Of all windows together. */
  figures(): WindowFigures {
    const { wallUs, sent, deliveries, connectUs, putOff, cpuUs, loopActiveMs } = this.#total;
    return {
      seconds: wallUs / 1_000_000,
      sent,
      deliveries,
      deliveryUs: this.#deliveryUs.percentiles(),
      ackUs: this.#ackUs.percentiles(),
      joins: { wallMs: connectUs / 1_000, joinUs: this.#joinUs.percentiles(), putOff },
      generator: {
        cpuShare: cpuUs / wallUs,
        loopShare: (loopActiveMs * 1_000) / wallUs,
        latenessUs: this.#latenessUs.percentiles(),
      },
    };
  }

  #counts(): Counts {
    const { user, system } = process.cpuUsage();
    return {
      wallUs: nowUs(),
      sent: this.#sent,
      deliveries: this.#deliveries,
      connectUs: this.#connectUs,
      putOff: this.#putOff,
      cpuUs: user + system,
      loopActiveMs: performance.eventLoopUtilization().active,
    };
  }

  /** Stops sending, waits until everything has come or nothing has for so long, and judges. */
  async settle(patienceMs: number): Promise<Verdict> {
    this.pause();
    let verdict = this.#judge();
    for (let idleMs = 0; idleMs < patienceMs && (verdict.missing > 0 || verdict.unacknowledged > 0); ) {
      const seen = this.#deliveries + this.#answered;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_STEP_MS));
      idleMs = this.#deliveries + this.#answered === seen ? idleMs + SETTLE_STEP_MS : 0;
      verdict = this.#judge();
    }
    // What comes twice may come late.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_STEP_MS));
    return this.#judge();
  }

  #dial(client: Client, resume: boolean): Promise<void> {
    const { endpoints, rooms, canResume } = this.#plan;
    const endpoint = endpoints[Math.floor(client.index / rooms) % endpoints.length] as { host: string; port: number };
    const room = this.#rooms[client.room] as Room;
    const resumes = resume && canResume;
    const position = { epoch: client.epoch, seq: client.receipts.received };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`client ${client.index} did not join`)), CONNECT_DEADLINE_MS);
      let joined = false;
      client.socket = new BenchSocket(
        {
          ...endpoint,
          auth: { token: client.token, ...(resumes ? { resume: { [room.name]: position } } : {}) },
          roomName: room.name,
          resumes,
        },
        {
          onJoined: (answer: JoinAnswer) => {
            joined = true;
            client.epoch = answer.epoch ?? client.epoch;
            clearTimeout(timer);
            resolve();
          },
          onJoinPutOff: () => {
            this.#putOff++;
          },
          onMessage: (of, number) => this.#take(client, of, number),
          onAck: (id, ok) => this.#answer(id, ok),
          onLost: (why) => {
            clearTimeout(timer);
            this.#lost++;
            if (!joined) reject(new Error(`client ${client.index}: ${why}`));
          },
        },
      );
    });
  }

  #sendOne(roomIndex: number, senders: number): void {
    const room = this.#rooms[roomIndex] as Room;
    const sender = room.members[room.nextSender++ % Math.min(senders, room.members.length)] as number;
    const number = room.sentUs.length;
    const id = ++this.#sent;
    if (id >= MESSAGES_MAX) throw new Error(`more than ${MESSAGES_MAX} messages in one run`);
    const text = (markOf(roomIndex, number) + this.#padding).slice(0, this.#plan.textBytes);
    const frame = clientFrame(
      `42${id}["message:send",{"room":"${room.name}","clientMsgId":"m${number}","text":"${text}"}]`,
    );
    const us = nowUs();
    room.sentUs.push(us);
    this.#sentUs[id] = us;
    this.#clients[sender]?.socket?.send(frame);
  }

  #take(client: Client, room: number, number: number): void {
    this.#deliveries++;
    const sentUs = this.#rooms[room]?.sentUs[number];
    if (room !== client.room || sentUs === undefined) this.#strays++;
    else if (client.receipts.take(number) && sentUs >= this.#windowFromUs) this.#deliveryUs.record(nowUs() - sentUs);
  }

  #answer(id: number, ok: boolean): void {
    const sentUs = this.#sentUs[id] as number;
    if (sentUs === 0 || Number.isNaN(sentUs)) return;
    this.#sentUs[id] = 0;
    this.#answered++;
    if (!ok) this.#refused++;
    if (sentUs >= this.#windowFromUs) this.#ackUs.record(nowUs() - sentUs);
  }

  #judge(): Verdict {
    const verdict: Verdict = {
      expected: 0,
      received: 0,
      missing: 0,
      doubled: 0,
      strays: this.#strays,
      unacknowledged: this.#sent - this.#answered + this.#refused,
      lostConnections: this.#lost,
    };
    for (const { room, receipts } of this.#clients) {
      const sent = this.#rooms[room]?.sentUs.length ?? 0;
      verdict.expected += sent;
      verdict.received += receipts.received;
      verdict.missing += sent - receipts.received;
      verdict.doubled += receipts.doubled;
    }
    return verdict;
  }
}
