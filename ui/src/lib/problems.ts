/** A refusal in words: what happened and what to do. Codes we have a text for are translated; the rest say what the server said. */
import { Problem } from '../api/client';
import { t, word } from './i18n.svelte';
import { toasts } from './toasts.svelte';

export function problemText(e: unknown): string {
  if (!(e instanceof Problem)) return t('problem.unknown');
  const text = word('problem', e.code);
  if (text !== e.code.replaceAll('_', ' ')) return text;
  return e.message || t('problem.unknown');
}
export const tell = (e: unknown) => toasts.show(problemText(e), { danger: true });
