import { beforeEach, expect, test } from 'vitest';
import type { Mailbox } from '../api/client';
import { setLocale, withTexts } from './i18n.svelte';
import { span, stateText } from './mailboxes';

const state = (phase: Mailbox['state']['phase'], more: Partial<Mailbox['state']> = {}) => ({ active: phase !== 'off', waiting_for_owner: false, paused: null, state: { phase, last_success_at: null, last_error: null, backlog: 0, lag_s: null, progress: null, silent: false, ...more } });
beforeEach(async () => { await withTexts('gateway'); await setLocale('en'); });

test('A13: a mailbox that is off says that nothing is fetched', () => expect(stateText(state('off'))).toEqual({ text: 'Off: nothing is fetched', tone: '' }));
test('A14: a failure is marked and still tells of the last success', () => {
  const threeHoursAgo = new Date(Date.now() - 3 * 3600e3).toISOString();
  const { text, tone } = stateText(state('failed', { last_success_at: threeHoursAgo }));
  expect(text).toMatch(/^Not working · last success: 3 hr\.? ago$/);
  expect(tone).toBe('bad');
});
test('A14: a mailbox that was never read says so', () => expect(stateText(state('idle')).text).toBe('Working · not read yet'));
test('A14: a scan that was only just asked for is shown at once', () => expect(stateText(state('idle'), true).text).toBe('Scanning'));
test('A3: a mailbox without its password waits for its owner', () => expect(stateText({ ...state('off'), waiting_for_owner: true }).text).toBe('Waiting for its owner'));
test('A14: what lies behind is told in whole minutes, hours or days', () => expect([span(1800), span(3 * 3600), span(2 * 86_400)]).toEqual(['30 minutes', '3 hours', '2 days']));
