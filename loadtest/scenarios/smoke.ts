/**
 * Does it chat, and correctly? Twenty clients in four rooms, some seconds.
 *
 * Through the public address; every member must see every message of its rooms once, in order, and the history must agree. It asserts
 * no speed: that is only reported.
 */
import { vu } from 'k6/execution';
import type { Options } from 'k6/options';
import { runMember } from '../lib/chat-member.ts';
import { pause } from '../lib/chat-session.ts';
import { makeGuests } from '../lib/identities.ts';
import { k6Host } from '../lib/k6-host.ts';
import { addVerdict, k6Report } from '../lib/k6-report.ts';
import { readSettings, tokensFrom } from '../lib/settings.ts';
import {
  clientsOf,
  rampDelayMs,
  roomsOf,
  type Schedule,
  type SteadyShape,
  scheduleFrom,
  steadyScenario,
} from '../lib/shapes.ts';
import { correctness, noErrors, speed } from '../lib/thresholds.ts';

const settings = readSettings(__ENV);
const tokensText = settings.tokensFile === undefined ? undefined : open(settings.tokensFile);

const ROOMS = 4;
const ROOMS_PER_CLIENT = 2;
const SEND_EVERY_MS = 500;
const TIMEOUT_MS = 10_000;

const shape: SteadyShape = {
  vus: 4,
  clientsPerVu: 5,
  rampMs: 2_000,
  sendMs: settings.sendMs ?? 12_000,
  settleMs: settings.settleMs ?? 10_000,
};

export const options: Options = {
  scenarios: { smoke: steadyScenario(shape) },
  thresholds: {
    ...correctness({ members: clientsOf(shape) }),
    ...noErrors(),
    ...speed({ deliveryP99MsMax: settings.deliveryP99MsMax }),
  },
  setupTimeout: '60s',
};

interface Run {
  name: string;
  tokens: string[];
  rooms: string[];
  schedule: Schedule;
}

export function setup(): Run {
  const count = clientsOf(shape);
  const tokens = tokensText === undefined ? makeGuests({ url: settings.url, count }) : tokensFrom(tokensText, count);
  // Rooms are new in every run, so that nothing of an earlier one, or of another that runs now, is judged here.
  const name = `smoke-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
  const rooms = Array.from({ length: ROOMS }, (_, index) => `${name}-${index}`);
  return { name, tokens, rooms, schedule: scheduleFrom(shape, Date.now()) };
}

export default async function smoke(run: Run): Promise<void> {
  const firstIndex = (vu.idInTest - 1) * shape.clientsPerVu;
  await Promise.all(Array.from({ length: shape.clientsPerVu }, (_, offset) => chat(run, firstIndex + offset)));
}

async function chat(run: Run, index: number): Promise<void> {
  await pause(k6Host, rampDelayMs(shape, index));
  const name = `${run.name}-c${index}`;
  const verdict = await runMember({
    url: settings.url,
    token: run.tokens[index] ?? '',
    run: run.name,
    name,
    rooms: roomsOf(run.rooms, index, ROOMS_PER_CLIENT),
    schedule: run.schedule,
    sendEveryMs: SEND_EVERY_MS,
    openTimeoutMs: TIMEOUT_MS,
    ackTimeoutMs: TIMEOUT_MS,
    host: k6Host,
    report: k6Report,
  });
  addVerdict(name, verdict);
}
