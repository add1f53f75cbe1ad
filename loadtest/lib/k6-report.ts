/** Turns what members report into k6's metrics and checks. */
import { check } from 'k6';
import { describeVerdict, type MemberReport, type MemberVerdict } from './chat-member.ts';
import { describeEnding } from './chat-session.ts';
import * as metrics from './metrics.ts';

/** What goes wrong a thousand times is told a few times; the counters have the rest. */
const LINES_MAX = 10;
let lines = 0;

function complain(line: string): void {
  lines++;
  if (lines <= LINES_MAX) console.error(line);
  if (lines === LINES_MAX) console.error('… more of the same from this virtual user is only counted');
}

export const k6Report: MemberReport = {
  opened: (tookMs) => metrics.openLatency.add(tookMs),
  connectionFailed(ending) {
    metrics.connectionErrors.add(1, { reason: ending.kind });
    complain(`connection: ${describeEnding(ending)}`);
  },
  requestFailed(event, code) {
    metrics.ackErrors.add(1, { event, code });
    complain(`${event}: ${code}`);
  },
  sent: () => metrics.messagesSent.add(1),
  acknowledged(tookMs) {
    metrics.messagesAcknowledged.add(1);
    metrics.ackLatency.add(tookMs);
  },
  delivered(latencyMs) {
    metrics.messagesDelivered.add(1);
    if (latencyMs !== undefined) metrics.deliveryLatency.add(latencyMs);
  },
};

/** Adds a member's verdict to the counters. Zeros are added too, so that every counter appears in the summary. */
export function addVerdict(name: string, verdict: MemberVerdict): void {
  const sum = (count: (room: MemberVerdict['rooms'][number]) => number) =>
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
  metrics.acknowledgedLost.add(lost);
  metrics.membersAudited.add(verdict.complete ? 1 : 0);
  metrics.ackErrors.add(0);
  metrics.connectionErrors.add(0);
  check(verdict, {
    'joined every room and was judged in it': () => verdict.complete,
    'saw every message once, in order': () => missing + duplicated + outOfOrder === 0,
    'history holds what was seen and acknowledged': () => mismatched + lost === 0,
  });
  const line = describeVerdict(name, verdict);
  if (line !== undefined) complain(line);
}
