/** Sums and days as people of the reader's region write them. */
import { currentLocale } from '../../lib/i18n.svelte';

export function money(amount: string, currency: string | null | undefined) {
  const whole = /\.00$/.test(amount);
  try {
    return new Intl.NumberFormat(currentLocale(), { style: 'currency', currency: currency ?? 'EUR', minimumFractionDigits: whole ? 0 : 2 }).format(Number(amount));
  } catch { return `${amount} ${currency ?? ''}`; } // letters that are no currency
}
/** A day of the calendar, whatever zone the reader is in. */
export const day = (date: string) => new Intl.DateTimeFormat(currentLocale(), { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(`${date}T00:00:00Z`));
