/** What happened, as one line of words: events of threads and streams, and the steps by which a message was filed. No name is ever declined. */
import { dateTime, t, word } from './i18n.svelte';

/** The words behind an event's `to`. */
const said: Record<string, (to: string) => string> = {
  status_changed: (to) => word('status', to),
  priority_changed: (to) => word('priority', to),
  assigned: (to) => to || t('case.nobody'),
  snoozed: (to) => dateTime(to),
};

export function eventText(event: string, data: Record<string, string>, actor: string | undefined): string {
  data = data.until ? { ...data, to: data.until } : data;
  const say = (value: string) => said[event]?.(value) ?? value;
  const to = data.to !== undefined ? (data.from ? `${say(data.from)} → ${say(data.to) || '–'}` : say(data.to)) : ((data.number && `#${data.number}`) ?? data.record ?? data.name ?? '');
  const by = data.by && data.to ? ` (${word('by', data.by)})` : '';
  const what = to ? `${word('event', event)}: ${to}${by}` : word('event', event);
  return `${what} · ${actor ?? t('event.byItself')}`;
}

/** What became different of a record: `Name: Firm → Firm Ltd.; Team: Sales`. */
export function changesText(changes: readonly { field: string; label: string; from: string; to: string }[], actor: string | undefined): string {
  const one = changes.map((c) => `${c.label || word('part', c.field)}: ${c.from ? `${c.from} → ` : ''}${c.to || '–'}`);
  return `${one.join('; ')} · ${actor ?? t('event.byItself')}`;
}

export function whyText({ step, result, detail = '' }: { step: string; result: string; detail?: string }): string {
  const linked = step === 'link' && result !== 'ambiguous' && result !== 'several_accounts';
  const what = linked ? `${t('why.linked')}: ${word('reason', result)}` : word(`why.${step}`, result);
  return detail && step !== 'thread' ? `${what}: ${step === 'case' ? '#' : ''}${detail}` : what; // a thread's detail is an id, for programs
}
