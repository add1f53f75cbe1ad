/**
 * Turns a stored act into one sentence for the message list. Pure; the catalogues hold the texts.
 */
import { actOf, type RoomAct } from '@maru/client';
import type { Entry, Role } from '@maru/protocol/events';
import { isolated } from './isolated.ts';

/** The sentences for acts. `until`: formatted for the reader. */
export interface ActWords {
  actKick: (act: { by: string; user: string; until: string | null }) => string;
  actBan: (act: { by: string; user: string; until: string | null }) => string;
  actMute: (act: { by: string; user: string; until: string | null }) => string;
  actUnban: (act: { by: string; user: string }) => string;
  actUnmute: (act: { by: string; user: string }) => string;
  actInvite: (act: { by: string; user: string }) => string;
  actLeave: (act: { user: string }) => string;
  actRole: (act: { by: string; user: string; role: Role }) => string;
  actTitle: (act: { by: string; title: string }) => string;
  actTopic: (act: { by: string; topic: string }) => string;
  actReadOnly: (act: { by: string; active: boolean }) => string;
  actSlowMode: (act: { by: string; seconds: number }) => string;
  actClosed: (act: { by: string; active: boolean }) => string;
  actWithReason: (act: string, reason: string) => string;
}

export interface ActReader {
  t: ActWords;
  nameOf: (userId: string) => string;
  untilText: (untilTs: number) => string;
}

/** Null if the entry is not an act, or an act without a sentence. */
export function actLine(entry: Entry, reader: ActReader): string | null {
  const act = actOf(entry);
  if (act === null) return null;
  const sentence = sentenceOf(act, isolated(entry.from.name), reader);
  if (sentence === '') return null;
  const reason = 'reason' in act && typeof act.reason === 'string' ? act.reason : '';
  return reason === '' ? sentence : reader.t.actWithReason(sentence, isolated(reason));
}

function sentenceOf(act: RoomAct, by: string, { t, nameOf, untilText }: ActReader): string {
  if (act.type === 'room.update') return updatesOf(act, by, t).join(' · ');
  const user = isolated(nameOf(act.user));
  const until = 'untilTs' in act && act.untilTs ? untilText(act.untilTs) : null;
  switch (act.type) {
    case 'room.kick':
      return t.actKick({ by, user, until });
    case 'room.ban':
      return t.actBan({ by, user, until });
    case 'room.mute':
      return t.actMute({ by, user, until });
    case 'room.unban':
      return t.actUnban({ by, user });
    case 'room.unmute':
      return t.actUnmute({ by, user });
    case 'room.invite':
      return t.actInvite({ by, user });
    case 'room.leave':
      return t.actLeave({ user });
    case 'room.role':
      return t.actRole({ by, user, role: act.role });
  }
}

function updatesOf(act: Extract<RoomAct, { type: 'room.update' }>, by: string, t: ActWords): string[] {
  const { title, topic, readOnly, slowModeS, closed } = act;
  return [
    ...(title === undefined ? [] : [t.actTitle({ by, title: title === '' ? '' : isolated(title) })]),
    ...(topic === undefined ? [] : [t.actTopic({ by, topic: topic === '' ? '' : isolated(topic) })]),
    ...(readOnly === undefined ? [] : [t.actReadOnly({ by, active: readOnly })]),
    ...(slowModeS === undefined ? [] : [t.actSlowMode({ by, seconds: slowModeS })]),
    ...(closed === undefined ? [] : [t.actClosed({ by, active: closed })]),
  ];
}

/** The newest act among the entries that excluded the user. */
export function shutOutEntry(entries: readonly Entry[], userId: string): Entry | null {
  const found = entries.findLast((entry) => {
    const act = actOf(entry);
    return (act?.type === 'room.ban' || act?.type === 'room.kick') && act.user === userId;
  });
  return found ?? null;
}
