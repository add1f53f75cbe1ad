/** Why the composer does not accept messages now, and until when. */
import { type RoomDetails, systemScheduler } from '@maru/client';
import { useEffect, useState } from 'preact/hooks';
import type { Catalogue } from '../i18n/catalogue.ts';
import { opensByTime, type WriteGate, writeGate } from '../model/write-gate.ts';
import type { RoomView } from '../workspace/room-view.ts';
import { untilText } from './until-text.ts';

const TICK_MS = 1_000;

/** Updates each second, but only while the gate will open by itself. */
export function useWriteGate({ details, clock, slowUntilMs }: RoomView): WriteGate {
  const [, redraw] = useState(0);
  const nowMs = systemScheduler.now();
  const gate = writeGate(details, { nowMs, wallMs: systemScheduler.wallNow(), clock, slowUntilMs });
  const waits = opensByTime(gate);
  useEffect(() => {
    if (!waits) return;
    const timer = setInterval(() => redraw((n) => n + 1), TICK_MS);
    return () => clearInterval(timer);
  }, [waits]);
  return gate;
}

export function wordsOfGate(gate: WriteGate, details: RoomDetails | null, t: Catalogue, locale: string): string | null {
  switch (gate.kind) {
    case 'read-only':
      return t.gateReadOnly;
    case 'muted':
      return t.gateMuted(gate.untilTs === null ? null : untilText(gate.untilTs, systemScheduler.wallNow(), locale));
    case 'slow':
      return t.gateSlow(gate.leftS);
    case 'open':
      return details !== null && details.slowModeS > 0 && details.role === 'member'
        ? t.slowModeHint(details.slowModeS)
        : null;
  }
}
