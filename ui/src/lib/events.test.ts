import { beforeEach, expect, test } from 'vitest';
import { eventText, whyText } from './events';
import { setLocale } from './i18n.svelte';

beforeEach(() => setLocale('cs'));
test('words of the server become words of the language', () => expect(eventText('status_changed', { from: 'open', to: 'closed' }, 'Anna Malá')).toBe('Stav: Otevřeno → Uzavřeno · Anna Malá'));
test('a name stands undeclined after a colon', () => expect(eventText('assigned', { from: '', to: 'Petr Čech' }, 'Anna Malá')).toBe('Přiřazeno: Petr Čech · Anna Malá'));
test('an assignment to nobody says so', () => expect(eventText('assigned', { from: 'Petr Čech', to: '' }, 'Anna Malá')).toBe('Přiřazeno: Petr Čech → Nikdo · Anna Malá'));
test('what the machine did is called automatic', () => expect(eventText('case_created', { number: '12' }, undefined)).toBe('Založen případ: #12 · automaticky'));
test('an event of tomorrow is still readable', () => expect(eventText('moved_away', {}, 'Anna Malá')).toBe('moved away · Anna Malá'));
test('B2: a link says why', () => expect(whyText({ step: 'link', result: 'from', detail: 'jana@kowalski.example' })).toBe('Propojeno: Adresa odesílatele: jana@kowalski.example'));
test('the id of a thread is not shown to people', () => expect(whyText({ step: 'thread', result: 'reply', detail: '4711' })).toBe('Odpověď: podle odkazů patří do této konverzace'));
