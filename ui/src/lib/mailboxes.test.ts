import { beforeEach, expect, test } from 'vitest';
import type { Mailbox } from '../api/client';
import { setLocale } from './i18n.svelte';
import { stateText } from './mailboxes';

const state = (phase: Mailbox['state']['phase'], more: Partial<Mailbox['state']> = {}) => ({ active: phase !== 'off', state: { phase, last_success_at: null, last_error: null, backlog: 0, lag_s: null, progress: null, silent: false, ...more } });
beforeEach(() => setLocale('en'));

test('A13: a mailbox that is off says that nothing is fetched', () => expect(stateText(state('off'))).toEqual({ text: 'Off: nothing is fetched', tone: '' }));
test('A14: a failure is marked and still tells of the last success', () => {
  const threeHoursAgo = new Date(Date.now() - 3 * 3600e3).toISOString();
  const { text, tone } = stateText(state('failed', { last_success_at: threeHoursAgo }));
  expect(text).toMatch(/^Not working · last success: 3 hr\.? ago$/);
  expect(tone).toBe('bad');
});
test('A14: a mailbox that was never read says so', () => expect(stateText(state('idle')).text).toBe('Working · not read yet'));
test('A14: a scan that was only just asked for is shown at once', () => expect(stateText(state('idle'), true).text).toBe('Scanning'));
