import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createRouter, pattern, queryString } from './router.svelte';

const inbox = { default: 'inbox page' }, record = { default: 'record page' };
const load = vi.fn(async () => inbox);
const table = { '/inbox/:view/:thread?': load, '/records/:kind/:id': async () => record };
let router: ReturnType<typeof createRouter<keyof typeof table>>;
beforeEach(() => { history.replaceState(null, '', '/'); router = createRouter(table); });
afterEach(() => document.body.replaceChildren());

test('a path has required and optional parameters', () => {
  expect(pattern('/inbox/:view/:thread?').exec('/inbox/open')?.groups).toEqual({ view: 'open', thread: undefined });
  expect(pattern('/inbox/:view/:thread?').exec('/inbox/open/7')?.groups).toEqual({ view: 'open', thread: '7' });
  expect(pattern('/inbox/:view/:thread?').exec('/inbox/open/7/8')).toBeNull();
});
test('going somewhere changes address, path and parameters', () => {
  router.go('/records/account/12?show=stream');
  expect([location.pathname, router.path, router.params, router.search.get('show')]).toEqual(['/records/account/12', '/records/:kind/:id', { kind: 'account', id: '12' }, 'stream']);
});
test('an address is built from its parts and read back the same', () => {
  const to = router.href('/inbox/:view/:thread?', { view: 'a/b č' }, { mailbox: 3, q: undefined });
  expect(to).toBe('/inbox/a%2Fb%20%C4%8D?mailbox=3');
  router.go(to);
  expect(router.params.view).toBe('a/b č');
});
test('empty parameters leave no question mark', () => expect(queryString({ q: '', mailbox: undefined })).toBe(''));
test('an unknown address has no page', () => { router.go('/nowhere'); expect([router.path, router.page]).toEqual([undefined, undefined]); });
test('a page that holds unsaved text is asked before it is left', () => {
  router.go('/inbox/open');
  const ask = vi.spyOn(window, 'confirm').mockReturnValue(false), undo = router.guard({ dirty: () => true, question: () => 'Leave?' });
  router.go('/records/account/1');
  expect([location.pathname, ask.mock.calls.length]).toEqual(['/inbox/open', 1]);
  const unload = new Event('beforeunload', { cancelable: true });
  dispatchEvent(unload);
  expect([unload.defaultPrevented, ask.mock.calls.length], 'closing the tab is asked by the browser itself').toEqual([true, 1]);
  undo();
  router.go('/records/account/1');
  expect(location.pathname).toBe('/records/account/1');
});
test('a plain click on a link of ours is taken, one with Ctrl or to a download is not', () => {
  const click = (attrs: Record<string, string>, init: MouseEventInit = {}) => {
    const a = Object.assign(document.createElement('a'), { href: '/inbox/mine' });
    for (const [k, v] of Object.entries(attrs)) a.setAttribute(k, v);
    document.body.append(a);
    const e = new MouseEvent('click', { bubbles: true, cancelable: true, ...init });
    a.dispatchEvent(e);
    return e.defaultPrevented;
  };
  expect([click({}), click({}, { ctrlKey: true }), click({ download: '' }), click({ target: '_blank' }), click({ href: '/api/v1/messages/1/raw' }), click({ href: 'https://other.example/' })]).toEqual([true, false, false, false, false, false]);
});
