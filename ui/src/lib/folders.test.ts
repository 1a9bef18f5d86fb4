import { beforeAll, expect, test } from 'vitest';
import type { TreeFolder } from '../api/client';
import { folderName, inOrder } from './folders';
import { setLocale, withTexts } from './i18n.svelte';

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
