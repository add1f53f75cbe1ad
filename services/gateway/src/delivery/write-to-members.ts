/** Writes the packets of a burst to the live members of a room. */
import type { PauseGate } from '../cluster/pause-gate.ts';
import { PacketBatch } from '../edge/packets.ts';
import type { Member } from './member.ts';

/** After a pause of the process, the packets wait, and members that have ended since get none. */
export function writeToMembers(
  packets: string[],
  live: ReadonlySet<Member>,
  gate: Pick<PauseGate, 'isOpen' | 'pass'> | undefined,
): void {
  const batch = new PacketBatch(packets);
  if (gate === undefined || gate.isOpen()) {
    for (const member of live) member.sendBatch(batch);
    return;
  }
  const members = [...live];
  gate.pass(() => {
    for (const member of members) if (!member.closed) member.sendBatch(batch);
  });
}
