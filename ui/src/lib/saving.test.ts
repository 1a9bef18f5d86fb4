import { flushSync } from 'svelte';
import { expect, test } from 'vitest';
import { Problem } from '../api/client';
import { Saving } from './saving.svelte';

test('what the server refuses is said by field and in words, and forgotten when it is asked again', async () => {
  const saving = new Saving();
  let answer: (e?: unknown) => void = () => {};
  const asked = () => saving.run(() => new Promise<void>((done, fail) => { answer = (e) => (e ? fail(e) : done()); }));
  let asking = asked();
  flushSync();
  expect(saving.busy).toBe(true);
  answer(new Problem(422, 'invalid', 'It was refused.', { name: { code: 'of_no_text', message: 'Taken.', params: {} } }));
  expect(await asking).toBe(false);
  expect([saving.busy, saving.errors, saving.problem.includes('Taken.')]).toEqual([false, { name: 'Taken.' }, true]);
  asking = asked();
  expect([saving.busy, saving.errors, saving.problem]).toEqual([true, {}, '']);
  answer();
  expect([await asking, saving.busy, saving.problem]).toEqual([true, false, '']);
});

test('a failure that is no refusal of the server is told as well', async () => {
  const saving = new Saving();
  expect(await saving.run(() => Promise.reject(new TypeError('no network')))).toBe(false);
  expect(saving.problem).not.toBe('');
});
