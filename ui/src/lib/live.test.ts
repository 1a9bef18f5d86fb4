import { expect, test } from 'vitest';
import type { Change } from '../api/client';
import { staleKeys } from './live.svelte';

const keys = (c: Partial<Change>) => staleKeys({ id: 1, entity_id: 7, action: 'changed', ...c } as Change).map((k) => k.join('/'));
test('a new message makes its thread, the lists and the counts stale', () => expect(keys({ kind: 'message', thread_id: 3 })).toEqual(expect.arrayContaining(['thread/3', 'threads', 'views'])));
test('a changed thread is refetched by its own id', () => expect(keys({ kind: 'thread' })).toContain('thread/7'));
test('a mailbox does not touch the list of threads', () => expect(keys({ kind: 'mailbox' })).toEqual(['mailboxes', 'mailbox/7', 'ledger/7', 'reconciled/7', 'folders/7', 'folder/7', 'quarantine', 'rules']));
test('a kind we do not know is left alone', () => expect(keys({ kind: 'comet' as Change['kind'] })).toEqual([]));
