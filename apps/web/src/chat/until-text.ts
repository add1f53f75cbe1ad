/** Formats an end time. The date is omitted on the day of `fromTs`. */
export function untilText(untilTs: number, fromTs: number, locale: string): string {
  const isSameDay = new Date(untilTs).toDateString() === new Date(fromTs).toDateString();
  const format: Intl.DateTimeFormatOptions = isSameDay
    ? { hour: 'numeric', minute: '2-digit' }
    : { dateStyle: 'medium', timeStyle: 'short' };
  return new Intl.DateTimeFormat(locale, format).format(untilTs);
}
