import { beforeAll, expect, test } from 'vitest';
import { Problem } from '../../api/client';
import { setLocale, withTexts } from '../../lib/i18n.svelte';
import { draftOf, empty, isWrong, newRule, partsOf, unchosen, wrongOf } from './draft';
import type { Names } from './names.svelte';
import { moved } from './order';
import { actionText, conditionText, doneText, resultText, sentenceText } from './sentence';

const names = { of: (kind: string, id: number) => `${kind} ${id}`, ready: true } as unknown as Names;
beforeAll(async () => { await withTexts('rules'); await setLocale('en'); });

test('C1: a rule reads as a sentence, in the order of its parts', () => {
  const conditions = [{ field: 'subject', test: 'contains', value: '[support]' }, { field: 'size', test: 'over', value: '5000000' }, { field: 'nature', test: 'equals', value: 'list' }, { field: 'header', header: 'List-Id', test: 'exists' }] as const;
  expect(conditions.map(conditionText)).toEqual(['Subject contains “[support]”', 'Size is over 5 MB', 'Kind of mail is mailing list', 'List-Id is there']);
  const actions = [{ do: 'create_case', process: 1, priority: 'high' }, { do: 'stop' }] as const;
  expect(sentenceText({ matching: 'any', conditions: conditions.slice(0, 2), actions }, names)).toBe('When Subject contains “[support]” or Size is over 5 MB → create a case: processes 1, High priority; try no further rules');
  expect(sentenceText({ matching: 'all', conditions: [], actions: [{ do: 'mark_read' }] }, names)).toBe('Every message → mark as read');
});
test('C6: an assignment names the team and the way, or the one person', () => {
  expect(actionText({ do: 'assign', assignment: { to: 'team', team: 2, by: 'least_busy' } }, names)).toBe('assign: teams 2, to the least busy');
  expect(actionText({ do: 'assign', assignment: { to: 'user', user: 3 } }, names)).toBe('assign: users 3');
});
test('C7: what was done says only its detail, what was not says why', () => {
  expect(resultText({ result: 'done', detail: 'Support' })).toBe('Support');
  expect(resultText({ result: 'has_case', detail: '12' })).toBe('its conversation has a case already: 12');
  const action = { do: 'move', folder: 'News' } as const;
  expect(doneText({ action, result: 'done', detail: 'News' }, names)).toBe('move to a folder: News');
  expect(doneText({ action, result: 'is_there', detail: 'News' }, names)).toBe('move to a folder: News · it lies there already: News');
  expect(doneText({ action: { do: 'create_case' }, result: 'done', detail: '12' }, names)).toBe('create a case · 12');
});
test('C2: one rule is moved, the others keep their order', () => {
  expect(moved([1, 2, 3, 4], 0, 2)).toEqual([2, 3, 1, 4]);
  expect(moved([1, 2, 3, 4], 3, 0)).toEqual([4, 1, 2, 3]);
});
test('C5: where a filter stands is said by its scope or mailbox', () => {
  expect(newRule(empty('global'), false)).toMatchObject({ kind: 'filter', scope: 'global', enabled: false });
  expect(newRule(empty('own-7'), true)).toMatchObject({ kind: 'filter', mailbox: 7, enabled: true });
  expect(newRule(empty('mailbox-7'), true)).toMatchObject({ kind: 'rule', mailbox: 7 });
});
test('C1: only what belongs to a condition or a mapping is sent', () => {
  const draft = { ...empty('mailbox-1'), conditions: [{ field: 'subject', header: 'X', test: 'missing', value: 'y' } as const], actions: [{ do: 'create_lead', mapping: { name: ['', 'Name'], address: 'E-mail', account: '', fields: [['Phone', 'Tel'], ['', 'x']] } } as const] };
  expect(partsOf(draft as unknown as Parameters<typeof partsOf>[0])).toMatchObject({ conditions: [{ field: 'subject', test: 'missing' }], actions: [{ mapping: { name: ['Name'], fields: [['Phone', 'Tel']] } }] });
  expect(partsOf(draft as unknown as Parameters<typeof partsOf>[0]).conditions[0]).not.toHaveProperty('value');
});
test('C1: what is wrong stands at its condition or action; a choice that was not made is not sent', () => {
  const problem = new Problem(422, 'invalid', '', { conditions: { code: 'no_value', message: '', params: { number: '2' } }, name: { code: 'x', message: 'Too long.', params: {} } });
  expect(wrongOf(problem)).toEqual({ fields: { name: 'Too long.' }, conditions: { 1: 'Condition 2: say what to compare with.' }, actions: {} });
  const draft = { ...empty('mailbox-1'), name: 'x', actions: [{ do: 'label' } as const, { do: 'stop' } as const] };
  expect(unchosen(draft).actions).toEqual({ 0: 'Choose one.' });
  expect(isWrong(unchosen({ ...draft, actions: [{ do: 'stop' }] }))).toBe(false);
});
test('C1: a rule that is changed begins as it was saved', () => {
  const rule = { id: 1, kind: 'filter', mailbox: null, user: 4, folder: null, name: 'n', enabled: true, matching: 'any', conditions: [], actions: [{ do: 'skip' }], version: 1, hits: 0, hit_at: null } as unknown as Parameters<typeof draftOf>[0];
  expect(draftOf(rule)).toEqual({ place: 'mine', folder: null, name: 'n', matching: 'any', conditions: [], actions: [{ do: 'skip' }] });
});
