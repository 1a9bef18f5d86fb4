/** An event of a thread or a stream as one line of words, without declining anybody's name. */
import { t, word } from './i18n.svelte';

/** What is worth showing of an event's data, in this order; the rest (ids) is for programs. */
const SHOWN = ['number', 'assignee', 'to', 'status', 'priority', 'record', 'name', 'subject', 'detail'];

export function eventText(event: string, data: Record<string, string>, actor: string | undefined): string {
  const values = SHOWN.flatMap((k) => (data[k] ? [k === 'status' || k === 'to' ? word('status', data[k]) : k === 'priority' ? word('priority', data[k]) : data[k]] : []));
  const what = [word('event', event), [...new Set(values)].join(', ')].filter(Boolean).join(': ');
  return [what, actor ?? (event === 'case_created' || event === 'linked' ? t('event.byItself') : '')].filter(Boolean).join(' · ');
}
