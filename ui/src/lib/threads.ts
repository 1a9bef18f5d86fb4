/** Changes to threads and their cases: shown at once, undone by a toast, taken back if the server refuses. */
import type { QueryClient, QueryKey } from '@tanstack/svelte-query';
import { api, PAGE, type Case, type CaseChange, type Link, type Thread, type ThreadCase, type ThreadPage, type ThreadRow } from '../api/client';
import { dateTime, t, word } from './i18n.svelte';
import { caseNo, type View } from './places';
import { tell } from './problems';
import { toasts } from './toasts.svelte';

const FRESH_MS = 30_000;
export const threadQuery = (id: number) => ({ queryKey: ['thread', id], queryFn: () => api.thread(id), staleTime: FRESH_MS });
/** A part of every list: what came through a mailbox, or what a team or an area of work has. */
export type Part = { mailbox?: number; team?: number; process?: number };
export const pageQuery = (view: View, part: Part, page: number) => ({
  queryKey: ['threads', view, part, page],
  queryFn: () => api.threads({ view, ...part, offset: page * PAGE, limit: PAGE }),
});

/** Applies `change` to every copy of the row in the cache. */
function patchRow(client: QueryClient, id: number, change: (row: ThreadRow) => ThreadRow) {
  client.setQueryData<Thread>(['thread', id], (t) => t && { ...t, row: change(t.row) });
  client.setQueriesData<ThreadPage>({ queryKey: ['threads'] }, (p) => p && { ...p, rows: p.rows.map((r) => (r.id === id ? change(r) : r)) });
}
const refresh = (client: QueryClient, ...keys: QueryKey[]) => Promise.all(keys.map((queryKey) => client.invalidateQueries({ queryKey })));

export async function markRead(client: QueryClient, id: number, read: boolean) {
  patchRow(client, id, (r) => ({ ...r, unread: !read }));
  try {
    await api.markRead(id, read);
    void refresh(client, ['views']);
  } catch (e) {
    patchRow(client, id, (r) => ({ ...r, unread: read }));
    tell(e);
  }
}

type Who = { id: number; name: string } | null;
/** A change of a case as the interface makes it: the assignee with a name, so that it can be shown before the server answers. */
export type CaseWish = { status?: ThreadCase['status']; priority?: ThreadCase['priority']; assignee?: Who };

const wishBody = ({ assignee, ...rest }: CaseWish): CaseChange => ({ ...rest, ...(assignee !== undefined && { assignee_id: assignee?.id ?? null }) });

/** Gives a case to a team, which may give it to one of its own at once: the server says who has it now. */
export async function giveToTeam(client: QueryClient, threads: number[], now: ThreadCase, team: { id: number; name: string }, before: Who) {
  try {
    const made = await api.changeCase(now.id, { team_id: team.id, assignee_id: null });
    const undo = async () => {
      try { await api.changeCase(now.id, { team_id: before?.id ?? null, assignee_id: now.assignee?.id ?? null }); } catch (e) { tell(e); }
      await refreshCase(client, threads, now.id);
    };
    toasts.show(said({ assignee: made.assignee ?? team }, now.number), { undo: () => void undo() });
  } catch (e) {
    tell(e);
  }
  await refreshCase(client, threads, now.id);
}
const refreshCase = (client: QueryClient, threads: number[], id: number) => refresh(client, ['threads'], ['views'], ['team'], ['case', id], ['stream', id], ...threads.map((one) => ['thread', one]));

function said(wish: CaseWish, number: string): string {
  if (wish.status) return t('case.said', { number: caseNo(number), what: word('status', wish.status) });
  if (wish.priority) return t('case.said', { number: caseNo(number), what: word('priority', wish.priority) });
  return t('case.said', { number: caseNo(number), what: wish.assignee ? t('case.assignedTo', { who: wish.assignee.name }) : t('case.nobody') });
}

/** Changes a case; `threads` are those that show it. The toast offers the way back. */
export async function changeCase(client: QueryClient, threads: number[], now: ThreadCase, wish: CaseWish, quiet = false) {
  const before: CaseWish = Object.fromEntries(Object.keys(wish).map((k) => [k, now[k as keyof CaseWish]]));
  const show = (w: CaseWish) => {
    for (const id of threads) patchRow(client, id, (r) => (r.case?.id === now.id ? { ...r, case: { ...r.case, ...w } } : r));
    client.setQueryData<Case>(['case', now.id], (c) => c && { ...c, ...w });
  };
  show(wish);
  if (!quiet) toasts.show(said(wish, now.number), { undo: () => void changeCase(client, threads, { ...now, ...wish }, before, true) });
  try {
    await api.changeCase(now.id, wishBody(wish));
  } catch (e) {
    show(before);
    tell(e);
  }
  await refreshCase(client, threads, now.id);
}

export async function createCase(client: QueryClient, thread: number) {
  try {
    const made = await api.createCase(thread);
    toasts.show(t('case.created', { number: caseNo(made.number) }));
  } catch (e) {
    tell(e);
  }
  await refresh(client, ['thread', thread], ['threads'], ['views']);
}

const aboutLink = (thread: number, record: number) => `link ${thread} ${record}`;

export async function linkRecord(client: QueryClient, thread: number, record: { id: number; name: string }) {
  try {
    const made = await api.link(thread, record.id);
    toasts.show(t('link.made', { name: record.name }), { about: aboutLink(thread, record.id), undo: () => void unlinkRecord(client, thread, made, true) });
  } catch (e) {
    tell(e);
  }
  await refresh(client, ['thread', thread], ['threads'], ['views'], ['record', record.id]);
}

export async function unlinkRecord(client: QueryClient, thread: number, link: Link, quiet = false) {
  client.setQueryData<Thread>(['thread', thread], (t) => t && { ...t, links: t.links.filter((l) => l.id !== link.id) });
  const done = api.unlink(link.id);
  // Undone before the server answered: the new link waits for the end of the old one.
  const undo = () => void done.then(() => linkRecord(client, thread, link.record), () => {});
  const toast = quiet ? undefined : toasts.show(t('link.dropped', { name: link.record.name }), { about: aboutLink(thread, link.record.id), undo });
  try {
    await done;
  } catch (e) {
    if (toast) toasts.drop(toast);
    tell(e);
  }
  await refresh(client, ['thread', thread], ['threads'], ['views'], ['record', link.record.id]);
}

/** Puts a case out of sight until then, or (null) lets it be seen; `before` is what the toast's Undo goes back to. */
export async function snoozeCase(client: QueryClient, threads: number[], now: { id: number; number: string }, until: string | null, before: string | null = null, quiet = false) {
  try {
    await api.changeCase(now.id, { snoozed_until: until });
    if (!quiet) toasts.show(t('case.said', { number: caseNo(now.number), what: until ? t('case.snoozedTo', { when: dateTime(until) }) : t('case.wake') }), { undo: () => void snoozeCase(client, threads, now, before, until, true) });
  } catch (e) {
    tell(e);
  }
  await refreshCase(client, threads, now.id);
}
