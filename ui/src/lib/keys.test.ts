import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keys } from './keys';
import { session } from './session.svelte';

const run = vi.fn();
let undo: () => void;
beforeEach(() => { run.mockReset(); session.user = { shortcuts: true } as never; undo = keys({ j: run, Enter: run, 'g i': run }); });
afterEach(() => { undo(); document.body.replaceChildren(); });
function press(key: string, on: Element = document.body, init: KeyboardEventInit = {}) {
  const e = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...init });
  on.dispatchEvent(e);
  return e.defaultPrevented;
}
const add = (html: { tag: string; role?: string }) => { const e = document.createElement(html.tag); if (html.role) e.setAttribute('role', html.role); document.body.append(e); return e; };

test('a letter acts on the page', () => { expect(press('j')).toBe(true); expect(run).toHaveBeenCalledTimes(1); });
test.each(['input', 'textarea', 'select'])('not while somebody types in a %s', (tag) => { expect(press('j', add({ tag }))).toBe(false); expect(run).not.toHaveBeenCalled(); });
test('not while a dialog is open', () => { add({ tag: 'div', role: 'dialog' }); press('j'); expect(run).not.toHaveBeenCalled(); });
test('not with Ctrl, Alt (AltGr) or the like', () => { press('j', document.body, { ctrlKey: true }); press('j', document.body, { altKey: true }); press('j', document.body, { ctrlKey: true, altKey: true }); expect(run).not.toHaveBeenCalled(); });
test('not when the user switched shortcuts off', () => { session.user = { shortcuts: false } as never; press('j'); expect(run).not.toHaveBeenCalled(); });
test('Enter stays with the button that has the focus', () => {
  expect(press('Enter', add({ tag: 'button' }))).toBe(false);
  expect(run).not.toHaveBeenCalled();
  press('Enter');
  expect(run).toHaveBeenCalledTimes(1);
});
test('two letters make a sequence', () => { press('g'); expect(run).not.toHaveBeenCalled(); press('i'); expect(run).toHaveBeenCalledTimes(1); });
