/** The moments a snooze is offered until: in three hours, tomorrow and next Monday morning, in the reader's time. */
const MORNING = 8, LATER_H = 3, HOUR_MS = 3_600_000, MONDAY = 1;

const morning = (now: Date, days: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING);

export function moments(now: Date): { key: 'later' | 'tomorrow' | 'week'; at: Date }[] {
  const later = new Date(Math.ceil((now.getTime() + LATER_H * HOUR_MS) / HOUR_MS) * HOUR_MS);
  const days = ((MONDAY - now.getDay() + 6) % 7) + 1; // 1 to 7: a Monday's next week is the next Monday
  return [
    // In the evening "later today" would be tomorrow.
    ...(later.toDateString() === now.toDateString() ? [{ key: 'later' as const, at: later }] : []),
    { key: 'tomorrow', at: morning(now, 1) },
    { key: 'week', at: morning(now, days) },
  ];
}
