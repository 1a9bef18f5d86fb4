/** Folders of a synchronised mailbox: their order and names, and what people do with the messages in them. */
import type { QueryClient } from '@tanstack/svelte-query';
import { api, PAGE, Problem, type FolderPage, type FolderRow, type TreeFolder } from '../api/client';
import { compare, sentence, t } from './i18n.svelte';
import { tell } from './problems';
import { toasts } from './toasts.svelte';

export type Flag = FolderRow['flags'][number];
const ORDER = ['inbox', 'drafts', 'sent', 'archive', 'all', 'flagged', 'junk', 'trash'];
/** What a folder is for; the server does not say it of the INBOX, whose name says it. */
export const useOf = (f: TreeFolder) => f.special_use ?? (f.path.toUpperCase() === 'INBOX' ? 'inbox' : undefined);
/** Special folders have the user's language's name, others their own; the whole one where what is above is not shown. */
export const folderName = (f: TreeFolder, depth?: number) => sentence('folder', useOf(f) ?? '') ?? (depth === 0 ? f.path : f.name);

/** The tree, flat and in order: what has a use first, then by name; each folder is followed by those in it. */
export function inOrder(folders: readonly TreeFolder[]): { folder: TreeFolder; depth: number }[] {
  const paths = new Set(folders.map((f) => f.path));
  const rank = (f: TreeFolder) => { const i = ORDER.indexOf(useOf(f) ?? ''); return i < 0 ? ORDER.length : i; };
  const below = (parent: string | null, depth: number): { folder: TreeFolder; depth: number }[] =>
    folders.filter((f) => (f.parent != null && paths.has(f.parent) ? f.parent : null) === parent)
      .sort((a, b) => rank(a) - rank(b) || compare(a.name, b.name))
      .flatMap((folder) => [{ folder, depth }, ...below(folder.path, depth + 1)]);
  return below(null, 0);
}

export const folderPageQuery = (mailbox: number, folder: number, page: number) => ({
  queryKey: ['folder', mailbox, folder, page], queryFn: () => api.folderMessages(mailbox, folder, page * PAGE),
});

/** Everything shown of one folder, so that a change is seen at once and taken back if the server refuses. */
function patch(client: QueryClient, mailbox: number, change: (page: FolderPage) => FolderPage) {
  const before = client.getQueriesData<FolderPage>({ queryKey: ['folder', mailbox] });
  client.setQueriesData<FolderPage>({ queryKey: ['folder', mailbox] }, (p) => p && change(p));
  return () => { for (const [key, data] of before) client.setQueryData(key, data); };
}
const refresh = (client: QueryClient, mailbox: number) => Promise.all([['folder', mailbox], ['folders', mailbox]].map((queryKey) => client.invalidateQueries({ queryKey })));

type Flags = { add: Flag[]; remove: Flag[] };
const applied = (flags: readonly Flag[], { add, remove }: Flags) => [...new Set([...flags.filter((f) => !remove.includes(f)), ...add])];

/** Sets or takes off flags. `said` is told with the way back; without it nothing is told. */
export async function setFlags(client: QueryClient, mailbox: number, rows: readonly FolderRow[], change: Flags, said?: string, refused: (e: unknown) => void = tell) {
  const ids = rows.map((r) => r.occurrence_id);
  const back = patch(client, mailbox, (p) => ({ ...p, rows: p.rows.map((r) => (ids.includes(r.occurrence_id) ? { ...r, flags: applied(r.flags, change) } : r)) }));
  if (said) toasts.show(said, { undo: () => void setFlags(client, mailbox, rows, { add: change.remove, remove: change.add }) });
  try { await api.setFlags(mailbox, { occurrence_ids: ids, ...change }); } catch (e) { back(); refused(e); }
  await refresh(client, mailbox);
}

/** Marks as read what was opened. Whoever may look and change nothing leaves no mark, and need not be told. */
export const opened = (client: QueryClient, mailbox: number, row: FolderRow) =>
  setFlags(client, mailbox, [row], { add: ['seen'], remove: [] }, undefined, (e) => e instanceof Problem && e.status === 403 ? undefined : tell(e));

const without = (ids: readonly number[]) => (p: FolderPage): FolderPage => {
  const rows = p.rows.filter((r) => !ids.includes(r.occurrence_id));
  return { total: p.total - (p.rows.length - rows.length), rows };
};
/** The server gives a moved message a new number, so a move is undone by moving it back, not by a toast. */
export async function moveTo(client: QueryClient, mailbox: number, ids: number[], folder: TreeFolder) {
  const back = patch(client, mailbox, without(ids));
  try { await api.moveTo(mailbox, ids, folder.id); toasts.show(t('folders.moved', { n: ids.length, folder: folderName(folder) })); } catch (e) { back(); tell(e); }
  await refresh(client, mailbox);
}
export async function remove(client: QueryClient, mailbox: number, ids: number[], said: string) {
  const back = patch(client, mailbox, without(ids));
  try { await api.deleteMessages(mailbox, ids); toasts.show(said); } catch (e) { back(); tell(e); }
  await refresh(client, mailbox);
}
