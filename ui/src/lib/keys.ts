/**
 * Single-letter shortcuts. They compare the character, not the key's place (QWERTZ), are off where somebody types or a
 * dialog is open, and can be switched off by the user (WCAG 2.1.4). No Ctrl+Alt: on Windows that is AltGr.
 */
import { tinykeys } from 'tinykeys';
import { session } from './session.svelte';

type Run = (e: KeyboardEvent) => void;

const busy = (e: KeyboardEvent) =>
  (e.target as Element).closest?.('input, textarea, select, [contenteditable="true"], [role="dialog"], [role="menu"]') || document.querySelector('[role="dialog"]:not([popover]), [role="dialog"]:popover-open, [role="menu"]');

/** Keys that already mean something to a focused button, link or scrolling region: ours only while nothing of that kind has the focus. */
const TAKEN = ['Enter', 'ArrowDown', 'ArrowUp'];
const taken = (e: KeyboardEvent) => TAKEN.includes(e.key) && !(e.target as Element).matches?.('body, main');

/** Binds keys while the returned undo is not called: use as `$effect(() => keys({...}))`. */
export function keys(map: Record<string, Run>) {
  const bound = Object.entries(map).map(([key, run]) => [key, (e: KeyboardEvent) => {
    if (busy(e) || taken(e) || session.user?.shortcuts === false) return;
    e.preventDefault();
    run(e);
  }] as const);
  return tinykeys(window, Object.fromEntries(bound));
}

/** The same letter again (W W) while the menu that it opened is open: use as `$effect(() => { if (open) return again(...) })`. */
export function again(letter: string, run: () => void) {
  const onkeydown = (e: KeyboardEvent) => {
    if (e.key.toLowerCase() !== letter || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    e.stopPropagation();
    run();
  };
  addEventListener('keydown', onkeydown, true);
  return () => removeEventListener('keydown', onkeydown, true);
}

/** What the help shows: key, and the text's name in the catalogue. */
export const HELP = [
  ['help.move', [['J / ↓', 'help.next'], ['K / ↑', 'help.previous'], ['Enter / O', 'help.open'], ['U / Esc', 'help.back']]],
  ['help.act', [['R', 'reply.start'], ['N', 'help.note'], ['E', 'help.close'], ['W', 'help.assign'], ['W W', 'help.assignMe'], ['B', 'help.snooze'], ['M', 'help.link'], ['L', 'help.label'], ['Shift U', 'help.unread'], ['Z', 'help.undo'], ['Ctrl Enter', 'help.save']]],
  ['help.go', [['Ctrl K', 'help.palette'], ['/', 'help.search'], ['G I', 'help.inbox'], ['G M', 'help.mine'], ['G U', 'help.unassigned'], ['G A', 'help.all'], ['G R', 'help.records'], ['G S', 'help.settings'], ['?', 'help.help']]],
] as const;
