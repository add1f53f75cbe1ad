/**
 * The clients of a run. Connects them, sends messages at scheduled times whether or not earlier
 * ones were answered, and counts every delivery.
 */
import { performance } from 'node:perf_hooks';
import { Histogram } from '../measure/histogram.ts';
import { BenchSocket, type JoinAnswer } from './bench-socket.ts';
import type { Plan, WindowFigures } from './commands.ts';
import { clientFrame, markOf } from './frames.ts';
import { type CheckResult, Receipts } from './ledger.ts';
import { createToken } from './token.ts';

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
  /** The time of each message's write, by message number. */
  sentUs: number[];
  nextSender: number;
}

const COUNTERS = ['wallUs', 'sent', 'deliveries', 'connectUs', 'joinRetries', 'cpuUs', 'loopActiveMs'] as const;
/**
 * Values that never decrease. A window's figure is the difference between its end and its start.
 */
type Counters = Record<(typeof COUNTERS)[number], number>;
const ZERO = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as Counters;

const nowUs = (): number => performance.now() * 1_000;

export class ClientGroup {
  readonly #plan: Plan;
  readonly #clients: Client[];
  readonly #rooms: Room[];
  /** The time of each send's write, by acknowledgement id; 0 after the acknowledgement. */
  readonly #sentUs = new Float64Array(MESSAGES_MAX);
  #sent = 0;
  #answered = 0;
  #refused = 0;
  #unexpected = 0;
  #lost = 0;
  #deliveries = 0;
  #joinRetries = 0;
  #sending: NodeJS.Timeout | undefined;
  readonly #deliveryUs = new Histogram();
  readonly #ackUs = new Histogram();
  readonly #latenessUs = new Histogram();
  readonly #joinUs = new Histogram();
  /** Infinity while no window is open, so that no time is inside one. */
  #windowFromUs = Number.POSITIVE_INFINITY;
  #windowStart: Counters = ZERO;
  /** Sum of the closed windows. */
  #total: Counters = ZERO;
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
      const token = createToken(plan.secret, `bench-${index}`);
      return { index, room, token, receipts: new Receipts(), socket: undefined, epoch: undefined };
    });
  }

  /**
   * Connects the clients with index `from` to `to` - 1. Resolves when all have joined their rooms.
   */
  async connect(from: number, to: number, concurrency: number, resume: boolean): Promise<void> {
    const startUs = nowUs();
    let next = from;
    const worker = async () => {
      while (next < to) {
        const client = this.#clients[next++] as Client;
        const attemptUs = nowUs();
        await this.#connectOne(client, resume);
        if (attemptUs >= this.#windowFromUs) this.#joinUs.record(nowUs() - attemptUs);
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
   * Starts to send `perSecond` messages in total, in bursts of `burst` messages. A burst goes to
   * one room, then the next burst to the next room. Each message has another sender, taken in turn
   * from the first `senders` members of the room.
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

  stopSending(): void {
    clearInterval(this.#sending);
  }

  openWindow(): void {
    this.#windowStart = this.#counters();
    this.#windowFromUs = nowUs();
  }

  closeWindow(): void {
    const [from, to, total] = [this.#windowStart, this.#counters(), this.#total];
    this.#total = Object.fromEntries(COUNTERS.map((name) => [name, total[name] + to[name] - from[name]])) as Counters;
    this.#windowFromUs = Number.POSITIVE_INFINITY;
  }

  /** Figures of all closed windows. */
  figures(): WindowFigures {
    const { wallUs, sent, deliveries, connectUs, joinRetries, cpuUs, loopActiveMs } = this.#total;
    return {
      seconds: wallUs / 1_000_000,
      sent,
      deliveries,
      deliveryUs: this.#deliveryUs.percentiles(),
      ackUs: this.#ackUs.percentiles(),
      joins: { wallMs: connectUs / 1_000, joinUs: this.#joinUs.percentiles(), retries: joinRetries },
      generator: {
        cpuShare: cpuUs / wallUs,
        loopShare: (loopActiveMs * 1_000) / wallUs,
        latenessUs: this.#latenessUs.percentiles(),
      },
    };
  }

  #counters(): Counters {
    const { user, system } = process.cpuUsage();
    return {
      wallUs: nowUs(),
      sent: this.#sent,
      deliveries: this.#deliveries,
      connectUs: this.#connectUs,
      joinRetries: this.#joinRetries,
      cpuUs: user + system,
      loopActiveMs: performance.eventLoopUtilization().active,
    };
  }

  /**
   * Stops sending. Waits until everything has arrived, or until nothing arrived for `timeoutMs`.
   */
  async settle(timeoutMs: number): Promise<CheckResult> {
    this.stopSending();
    let result = this.#check();
    for (let idleMs = 0; idleMs < timeoutMs && (result.missing > 0 || result.unacknowledged > 0); ) {
      const seen = this.#deliveries + this.#answered;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_STEP_MS));
      idleMs = this.#deliveries + this.#answered === seen ? idleMs + SETTLE_STEP_MS : 0;
      result = this.#check();
    }
    // A duplicate may arrive after the last expected delivery.
    await new Promise((resolve) => setTimeout(resolve, SETTLE_STEP_MS));
    return this.#check();
  }

  #connectOne(client: Client, resume: boolean): Promise<void> {
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
          onJoinRetry: () => {
            this.#joinRetries++;
          },
          onMessage: (from, number) => this.#onDelivery(client, from, number),
          onAck: (id, ok) => this.#onAck(id, ok),
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

  #onDelivery(client: Client, room: number, number: number): void {
    this.#deliveries++;
    const sentUs = this.#rooms[room]?.sentUs[number];
    if (room !== client.room || sentUs === undefined) this.#unexpected++;
    else if (client.receipts.add(number) && sentUs >= this.#windowFromUs) this.#deliveryUs.record(nowUs() - sentUs);
  }

  #onAck(id: number, ok: boolean): void {
    const sentUs = this.#sentUs[id] as number;
    if (sentUs === 0 || Number.isNaN(sentUs)) return;
    this.#sentUs[id] = 0;
    this.#answered++;
    if (!ok) this.#refused++;
    if (sentUs >= this.#windowFromUs) this.#ackUs.record(nowUs() - sentUs);
  }

  #check(): CheckResult {
    const result: CheckResult = {
      expected: 0,
      received: 0,
      missing: 0,
      duplicated: 0,
      unexpected: this.#unexpected,
      unacknowledged: this.#sent - this.#answered + this.#refused,
      lostConnections: this.#lost,
    };
    for (const { room, receipts } of this.#clients) {
      const sent = this.#rooms[room]?.sentUs.length ?? 0;
      result.expected += sent;
      result.received += receipts.received;
      result.missing += sent - receipts.received;
      result.duplicated += receipts.duplicated;
    }
    return result;
  }
}
