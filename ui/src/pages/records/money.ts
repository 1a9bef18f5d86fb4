/** Sums and days as people of the reader's region write them. */
import { currentLocale } from '../../lib/i18n.svelte';

/** As `lib/i18n` does: the language with the browser's region if they agree; English without one is European. */
const region = () => navigator.languages.find((l) => l.toLowerCase().startsWith(`${currentLocale()}-`)) ?? (currentLocale() === 'en' ? 'en-GB' : currentLocale());

export function money(amount: string, currency: string | null | undefined) {
  const whole = /\.00$/.test(amount);
  try {
    return new Intl.NumberFormat(region(), { style: 'currency', currency: currency ?? 'EUR', minimumFractionDigits: whole ? 0 : 2 }).format(Number(amount));
  } catch { return `${amount} ${currency ?? ''}`; } // letters that are no currency
}
/** A day of the calendar, whatever zone the reader is in. */
export const day = (date: string) => new Intl.DateTimeFormat(region(), { dateStyle: 'medium', timeZone: 'UTC' }).format(new Date(`${date}T00:00:00Z`));
