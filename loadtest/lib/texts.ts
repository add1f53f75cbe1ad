/**
 * The texts that clients send: the time of sending, and content that a faulty server would change.
 * Pure.
 */

const PREFIX = 'maru-load';

/**
 * Scripts, a joined emoji, text direction, markup and quotes. The server must store them unchanged.
 */
const FLAVOURS = [
  'plain words of a usual length, as people write them at work',
  '안녕하세요 — 오늘 회의는 몇 시예요?',
  'family 👩‍👩‍👧‍👦 and a flag 🇰🇷',
  'مرحبا بالجميع',
  '<b>not bold</b> & "quoted" \\ back \u2028 line',
  'x'.repeat(400),
] as const;

export function composeText(n: number, nowMs: number): string {
  return `${PREFIX} ${Math.round(nowMs)} ${n} ${FLAVOURS[n % FLAVOURS.length]}`;
}

/** When a text was sent, in milliseconds; undefined for other texts. */
export function sentAtMsOf(text: string | undefined): number | undefined {
  const match = text === undefined ? null : /^maru-load (\d{13}) \d+ /.exec(text);
  return match === null ? undefined : Number(match[1]);
}
