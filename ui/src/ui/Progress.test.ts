import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { setLocale } from '../lib/i18n.svelte';
import Progress from './Progress.svelte';

beforeEach(() => setLocale('en'));
afterEach(cleanup);
const show = (done: number, total: number) => {
  render(Progress, { done, total, label: 'Scanning' });
  const bar = screen.getByRole('progressbar', { name: 'Scanning' });
  return { bar, width: bar.querySelector('span')!.style.width, text: bar.parentElement!.textContent!.trim() };
};

test('A14: progress is a bar and a number', () => {
  const { bar, width, text } = show(1500, 20000);
  expect([bar.getAttribute('aria-valuenow'), bar.getAttribute('aria-valuemax'), width, text]).toEqual(['1500', '20000', '7.5%', '1,500 / 20,000 · 8%']);
});
test('more done than was foreseen is a full bar', () => expect(show(12, 10).width).toBe('100%'));
test('nothing to do is no division by nothing', () => expect(show(0, 0)).toMatchObject({ width: '0%', text: '0 / 0 · 0%' }));
