/** The texts that clients send: each carries the moment it was sent, and something that a careless server would break. Pure. */

const PREFIX = 'maru-load';

/** Scripts, a joined emoji, direction, markup and quoting: what is stored must be what was given. */
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

/** When a text of ours was sent, in milliseconds of the sender's clock; undefined for any other text. */
export function sentAtMsOf(text: string | undefined): number | undefined {
  const match = text === undefined ? null : /^maru-load (\d{13}) \d+ /.exec(text);
  return match === null ? undefined : Number(match[1]);
}
