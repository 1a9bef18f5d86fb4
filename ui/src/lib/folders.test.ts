import { QueryClient } from '@tanstack/svelte-query';
import { beforeAll, expect, test, vi } from 'vitest';
import { api, Problem, type FolderRow, type TreeFolder } from '../api/client';
import { folderName, inOrder, opened, setFlags } from './folders';
import { setLocale, withTexts } from './i18n.svelte';
import { toasts } from './toasts.svelte';

const folder = (path: string, special_use: string | null = null): TreeFolder => {
  const at = path.lastIndexOf('/');
  return { id: path.length, path, name: path.slice(at + 1), parent: at < 0 ? null : path.slice(0, at), special_use, total: 0, unseen: 0 };
};
beforeAll(() => withTexts('gateway'));

test('A15: folders with a use come first, the others by name, each followed by those in it', () => {
  const tree = inOrder([folder('Trash', 'trash'), folder('Projects/Beta'), folder('INBOX'), folder('Projects'), folder('Archive'), folder('Sent', 'sent'), folder('Projects/Alpha')]);
  expect(tree.map((x) => `${'-'.repeat(x.depth)}${x.folder.path}`)).toEqual(['INBOX', 'Sent', 'Trash', 'Archive', 'Projects', '-Projects/Alpha', '-Projects/Beta']);
});
test('A15: a folder in one that holds no messages stands where it can be seen', () => expect(inOrder([folder('Lists/News')]).map((x) => [x.depth, folderName(x.folder, x.depth)])).toEqual([[0, 'Lists/News']]));
test('A15: special folders are named in the language of the user, others as on the server', async () => {
  await setLocale('cs');
  expect([folderName(folder('INBOX')), folderName(folder('Gesendet', 'sent')), folderName(folder('Projekty'))]).toEqual(['Doručená pošta', 'Odeslaná pošta', 'Projekty']);
});
test('A15: who may look and change nothing is told so when they flag a message, not when they open it', async () => {
  vi.spyOn(api, 'setFlags').mockRejectedValue(new Problem(403, 'forbidden', 'No.'));
  const shown = vi.spyOn(toasts, 'show');
  const row = { occurrence_id: 1, flags: [] as string[] } as FolderRow;
  await opened(new QueryClient(), 1, row);
  expect(shown).not.toHaveBeenCalled();
  await setFlags(new QueryClient(), 1, [row], { add: ['flagged'], remove: [] });
  expect(shown).toHaveBeenCalledOnce();
});
