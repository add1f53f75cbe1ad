/** Turns the reports of members into k6's metrics and checks. */
import { check } from 'k6';
import { describeEnding } from '../../packages/testkit/src/client/connection.ts';
import { type ClientReport, type ClientVerdict, describeVerdict } from '../../packages/testkit/src/client/verdict.ts';
import type { Climb } from './knee.ts';
import * as metrics from './metrics.ts';
import { phaseAt, type Schedule } from './shapes.ts';
import { sentAtMsOf } from './texts.ts';
import type { ToleranceChecker } from './tolerance.ts';

/** A repeated failure is logged a few times. The counters have the rest. */
const LINES_MAX = 10;
let lines = 0;

function logFailure(line: string): void {
  lines++;
  if (lines <= LINES_MAX) console.error(line);
  if (lines === LINES_MAX) console.error('… further failures of this virtual user are only counted');
}

/** Figures are tagged with the phase of the send and with the group. */
export function createK6Report(options: {
  schedule: Schedule;
  group: string;
  tolerance: ToleranceChecker | undefined;
  climb: Climb | undefined;
}): ClientReport {
  const { schedule, group, climb, tolerance } = options;
  const tags = schedule.phases.map(({ name }) => ({ phase: name, group }));
  return {
    opened: (tookMs) => metrics.openLatency.add(tookMs),
    resumed(tookMs) {
      metrics.resumes.add(1);
      metrics.resumeLatency.add(tookMs);
    },
    notRecovered(reason) {
      metrics.resumesUnrecovered.add(1, { reason });
      logFailure(`resume: not recovered (${reason})`);
    },
    connectionFailed(ending) {
      metrics.connectionErrors.add(1, { reason: ending.kind });
      logFailure(`connection: ${describeEnding(ending)}`);
    },
    requestFailed(event, code) {
      metrics.ackErrors.add(1, { event, code });
      logFailure(`${event}: ${code}`);
    },
    sent(atMs) {
      const phase = phaseAt(schedule, atMs);
      metrics.messagesSent.add(1, tags[phase]);
      climb?.sent(phase);
    },
    acknowledged(sentAtMs, tookMs) {
      const tag = tags[phaseAt(schedule, sentAtMs)];
      metrics.messagesAcknowledged.add(1, tag);
      metrics.ackLatency.add(tookMs, tag);
    },
    acted(act, tookMs) {
      metrics.actsAcknowledged.add(1, { act });
      metrics.actLatency.add(tookMs, { act });
    },
    received({ text }, receivedAtMs) {
      const sentAtMs = sentAtMsOf(text);
      metrics.messagesDelivered.add(1);
      if (sentAtMs === undefined) return;
      const latencyMs = Math.max(0, receivedAtMs - sentAtMs);
      const phase = phaseAt(schedule, sentAtMs);
      metrics.deliveryLatency.add(latencyMs, tags[phase]);
      climb?.delivered(phase, latencyMs);
      const held = tolerance?.observe(group, schedule.phases[phase]?.name ?? '', latencyMs);
      if (held !== undefined) metrics.deliveryHeld.add(held);
    },
  };
}

/** Adds a verdict to the counters. It also adds zeros, so that every counter is in the summary. */
export function addVerdict(name: string, verdict: ClientVerdict): void {
  const sum = (count: (room: ClientVerdict['rooms'][number]) => number) =>
    verdict.rooms.reduce((total, room) => total + count(room), 0);
  const missing = sum((room) => room.missing + room.historyHoles);
  const duplicated = sum((room) => room.duplicated + room.storedTwice);
  const outOfOrder = sum((room) => room.outOfOrder + room.sendsSwapped);
  const mismatched = sum((room) => room.mismatched + room.invented + room.foreign) + verdict.strays;
  const lost = sum((room) => room.acknowledgedLost);
  metrics.messagesMissing.add(missing);
  metrics.messagesDuplicated.add(duplicated);
  metrics.messagesOutOfOrder.add(outOfOrder);
  metrics.messagesMismatched.add(mismatched);
  metrics.messagesUnresolved.add(sum((room) => room.unresolved));
  metrics.acknowledgedLost.add(lost);
  const differing = sum((room) => room.viewsDiffering);
  const wrong = sum((room) => room.countsWrong + room.actsRefused);
  metrics.viewsDiffering.add(differing);
  metrics.countsWrong.add(sum((room) => room.countsWrong));
  metrics.actsRefused.add(sum((room) => room.actsRefused));
  metrics.actsAcknowledged.add(0);
  metrics.membersAudited.add(verdict.complete ? 1 : 0);
  for (const counter of [metrics.resumes, metrics.resumesUnrecovered, metrics.ackErrors, metrics.connectionErrors])
    counter.add(0);
  check(verdict, {
    'joined and checked every room': () => verdict.complete,
    'saw every message once, in order': () => missing + duplicated + outOfOrder === 0,
    'history holds what was seen and acknowledged': () => mismatched + lost === 0,
    'views and counts are as fresh reads': () => differing + wrong === 0,
  });
  const line = describeVerdict(name, verdict);
  if (line !== undefined) logFailure(line);
}
