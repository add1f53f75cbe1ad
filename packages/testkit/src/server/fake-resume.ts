/** Resumes a room on the fake server. */
import type { Entry, Position, ResumedRoom } from '@maru/protocol/events';
import { fakeError } from './answers.ts';
import type { FakeRoom } from './fake-room.ts';
import { deliverResumed } from './planted-faults.ts';

/**
 * `entriesMax`: a larger gap is not closed. Returns undefined if the session must not name the
 * room.
 */
export function resume(
  room: FakeRoom,
  entriesMax: number,
  since: Position,
): { answer: ResumedRoom | undefined; missed: Entry[] } {
  const { state } = room;
  const gap = state.head - since.seq;
  if (since.epoch !== state.epoch || gap < 0)
    return { answer: { ...state, recovered: false, reason: 'epoch' }, missed: [] };
  const fault = room.fault.ofResume(since.seq, gap);
  if (gap > entriesMax || fault === 'resume_unrecovered')
    return { answer: { ...state, recovered: false, reason: 'too_far' }, missed: [] };
  if (fault === 'resume_refused') return { answer: { error: fakeError('forbidden') }, missed: [] };
  if (fault === 'resume_unanswered') return { answer: undefined, missed: [] };
  return { answer: { ...state, recovered: true }, missed: deliverResumed(fault, room.entries, since.seq) };
}
