/** A refusal in words: what happened and what to do. Codes we have a text for are translated; the rest say what the server said. */
import { Problem } from '../api/client';
import { sentence, t } from './i18n.svelte';
import { toasts } from './toasts.svelte';

export function problemText(e: unknown): string {
  if (!(e instanceof Problem)) return t('problem.unknown');
  const said = sentence('problem', e.code, e.params) ?? (e.message || t('problem.unknown'));
  // The field itself may be on another step or page.
  return e.code === 'invalid' ? [said, ...Object.values(e.fields)].join(' ') : said;
}
export const tell = (e: unknown) => toasts.show(problemText(e), { danger: true });
