/** Converts values of date fields (`2026-03-01`) to times, in the reader's time zone. Pure. */
const startOf = (day: string, addDays = 0): number | undefined => {
  const [, year, month, date] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(day) ?? [];
  if (year === undefined) return undefined;
  const ts = new Date(Number(year), Number(month) - 1, Number(date) + addDays).getTime();
  return Number.isFinite(ts) && ts >= 0 ? ts : undefined;
};

/** The first millisecond of the day. Undefined if there is no valid day. */
export const startOfDay = (day: string): number | undefined => startOf(day);

/** The limits of a search from the first to the last day. Both limits are exclusive. */
export const afterDay = (first: string): number | undefined => {
  const start = startOf(first);
  return start === undefined ? undefined : Math.max(0, start - 1);
};
export const beforeDay = (last: string): number | undefined => startOf(last, 1);

export function dayOf(ts: number): string {
  const date = new Date(ts);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
