import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { toasts } from './toasts.svelte';

beforeEach(() => { vi.useFakeTimers(); toasts.rows = []; });
afterEach(() => vi.useRealTimers());
const texts = () => toasts.rows.map((r) => r.text);

test('the newest change is undone first, each once', () => {
  const a = vi.fn(), b = vi.fn();
  toasts.show('a', { undo: a });
  toasts.show('b', { undo: b });
  toasts.show('no way back');
  toasts.undo();
  expect([a.mock.calls.length, b.mock.calls.length, texts()]).toEqual([0, 1, ['a', 'no way back']]);
  toasts.undo();
  toasts.undo();
  expect([a.mock.calls.length, b.mock.calls.length]).toEqual([1, 1]);
});
test('a newer message about the same thing replaces the older one', () => {
  toasts.show('linked', { about: 'link 1' });
  toasts.show('other', { about: 'link 2' });
  toasts.show('unlinked', { about: 'link 1' });
  expect(texts()).toEqual(['other', 'unlinked']);
});
test('at most three are shown, and they go by themselves', () => {
  for (const n of ['1', '2', '3', '4']) toasts.show(n);
  expect(texts()).toEqual(['2', '3', '4']);
  vi.advanceTimersByTime(60_000);
  expect(texts()).toEqual([]);
});
