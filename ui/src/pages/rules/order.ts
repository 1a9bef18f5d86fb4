/** Changes to lists of rules: shown at once, undone by a toast, taken back if the server refuses. */
import type { QueryClient } from '@tanstack/svelte-query';
import type { Rule } from '../../api/client';
import { calls } from './calls';
import { t } from '../../lib/i18n.svelte';
import { tell } from '../../lib/problems';
import { toasts } from '../../lib/toasts.svelte';
import { placeOf } from './draft';

export const rulesQuery = () => ({ queryKey: ['rules'], queryFn: calls.rules });
const patch = (client: QueryClient, change: (rules: Rule[]) => Rule[]) => client.setQueryData<Rule[]>(['rules'], (rules) => rules && change(rules));

/** The list with one of its rules at another place. */
export function moved<T>(rows: readonly T[], from: number, to: number): T[] {
  const next = [...rows];
  next.splice(to, 0, ...next.splice(from, 1));
  return next;
}

// Orders of quick key presses are sent one after another, so that the last one is what stays.
let sending: Promise<unknown> = Promise.resolve();
/** Puts the rules of one list into this order. */
export async function reorder(client: QueryClient, wanted: readonly Rule[], quiet = false) {
  const first = wanted[0];
  if (!first) return;
  const place = placeOf(first);
  const before = (client.getQueryData<Rule[]>(['rules']) ?? []).filter((r) => placeOf(r) === place);
  const show = (rows: readonly Rule[]) => patch(client, (all) => {
    const now = new Map(all.map((r) => [r.id, r])), left = rows.map((r) => now.get(r.id)).filter((r) => r !== undefined);
    return all.map((r) => (placeOf(r) === place ? (left.shift() ?? r) : r));
  });
  show(wanted);
  if (!quiet) toasts.show(t('rule.ordered'), { about: `rules ${place}`, undo: () => void reorder(client, before, true) });
  const sent = sending.then(() => calls.orderRules(wanted.map((r) => r.id)));
  sending = sent.catch(() => {});
  try { await sent; } catch (e) { show(before); tell(e); await client.invalidateQueries({ queryKey: ['rules'] }); }
}

export async function toggle(client: QueryClient, rule: Rule, quiet = false): Promise<void> {
  const enabled = !rule.enabled;
  const show = (change: Partial<Rule>) => patch(client, (all) => all.map((r) => (r.id === rule.id ? { ...r, ...change } : r)));
  show({ enabled });
  try {
    const saved = await calls.changeRule(rule.id, { version: rule.version, enabled });
    show(saved);
    client.setQueryData(['rule', rule.id], saved);
    if (!quiet) toasts.show(t(enabled ? 'rule.isOn' : 'rule.isOff', { name: rule.name }), { about: `rule ${rule.id}`, undo: () => void toggle(client, saved, true) });
  } catch (e) {
    show({ enabled: rule.enabled });
    tell(e);
    await client.invalidateQueries({ queryKey: ['rules'] });
  }
}

/** A removed rule cannot be brought back as it was: its number stands in the traces of messages. So it is asked before. */
export async function remove(client: QueryClient, rule: Rule): Promise<boolean> {
  if (!confirm(t('rule.sure', { name: rule.name }))) return false;
  try { await calls.dropRule(rule.id); } catch (e) { tell(e); return false; }
  patch(client, (all) => all.filter((r) => r.id !== rule.id));
  toasts.show(t('rule.removed', { name: rule.name }));
  return true;
}
