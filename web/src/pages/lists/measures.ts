/** Shares and moments as people read them. Sizes and spans of time are i18n's own. */

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;
const MONTH_S = 30 * DAY_S;

/** "3 hours ago", from Unix seconds; after a month the date. */
export function agoText(at: number, now: number, language: string): string {
  const past = Math.min(0, at - now);
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  if (past > -MINUTE_S) return format.format(0, "minute");
  if (past > -HOUR_S) return format.format(Math.round(past / MINUTE_S), "minute");
  if (past > -DAY_S) return format.format(Math.round(past / HOUR_S), "hour");
  if (past > -MONTH_S) return format.format(Math.round(past / DAY_S), "day");
  return new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(at * 1000));
}

/** "18:04:05", from Unix seconds; with the date on another day. */
export function timeText(at: number, now: number, language: string): string {
  const then = new Date(at * 1000);
  const isToday = then.toDateString() === new Date(now * 1000).toDateString();
  const style = isToday
    ? { timeStyle: "medium" as const }
    : { dateStyle: "short" as const, timeStyle: "medium" as const };
  return new Intl.DateTimeFormat(language, style).format(then);
}

/** "42%" of a share between 0 and 1; never 100% before it is whole. */
export function shareText(share: number): string {
  return `${share < 1 ? Math.min(99, Math.floor(share * 100 + 1e-9)) : 100}%`;
}
