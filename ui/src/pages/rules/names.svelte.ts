/** Names of what rules refer to by number. Call it while a component is made. */
import { createQuery } from '@tanstack/svelte-query';
import { api } from '../../api/client';
import { calls } from './calls';
import { compare, t } from '../../lib/i18n.svelte';
import { calls as answers } from '../inbox/replies';

export type Named = { id: number; name: string };
export function useNames() {
  const users = createQuery(() => ({ queryKey: ['users'], queryFn: api.users }));
  const teams = createQuery(() => ({ queryKey: ['teams'], queryFn: api.teams }));
  const processes = createQuery(() => ({ queryKey: ['processes'], queryFn: api.processes }));
  const labels = createQuery(() => ({ queryKey: ['labels'], queryFn: calls.labels }));
  const templates = createQuery(() => ({ queryKey: ['templates'], queryFn: answers.templates }));
  const sorted = (rows: readonly Named[] | undefined) => [...(rows ?? [])].sort((a, b) => compare(a.name, b.name));
  const all = $derived({ users: sorted(users.data?.filter((u) => u.active)), teams: sorted(teams.data), processes: sorted(processes.data), labels: sorted(labels.data), templates: sorted(templates.data?.templates) });
  return {
    get all() { return all; },
    /** Known by now: before that a name is not missing, only not here yet. */
    get ready() { return [users, teams, processes, labels, templates].every((q) => !q.isPending); },
    of(kind: keyof typeof all, id: number): string {
      return all[kind].find((one) => one.id === id)?.name ?? (this.ready ? t('rule.gone') : '…');
    },
  };
}
export type Names = ReturnType<typeof useNames>;
