/** People of a message in words. */
import type { Person } from '../api/client';
import { list, t } from './i18n.svelte';

export const shown = (p: Person) => p.name || p.address || t('thread.noSender');
export const full = (p: Person) => (p.name && p.name !== p.address ? `${p.name} <${p.address}>` : p.address);
/** "Anna Malá, Petr Čech +3". */
export function some(people: Person[], most = 3) {
  const rest = people.length - most;
  return list(people.slice(0, most).map(shown)) + (rest > 0 ? ` +${rest}` : '');
}
