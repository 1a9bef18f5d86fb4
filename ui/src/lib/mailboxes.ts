/** A mailbox's state in words: what it is doing, and whether somebody has to act. */
import type { Mailbox } from '../api/client';
import { fromNow, t } from './i18n.svelte';

/** `asked`: a scan was asked for this moment, of which the server has not told yet. */
export function stateText({ state, active }: Pick<Mailbox, 'state' | 'active'>, asked = false): { text: string; tone: 'good' | 'bad' | '' } {
  const last = state.last_success_at ? t('mailbox.lastSuccess', { when: fromNow(state.last_success_at) }) : t('mailbox.never');
  if (asked || state.phase === 'scanning') return { text: t('mailbox.scanning'), tone: '' };
  if (state.phase === 'failed') return { text: `${t('mailbox.failed')} · ${last}`, tone: 'bad' };
  if (!active || state.phase === 'off') return { text: t('mailbox.off'), tone: '' };
  if (state.phase === 'waiting') return { text: `${t('mailbox.waiting')} · ${last}`, tone: '' };
  return { text: `${t('mailbox.idle')} · ${last}`, tone: 'good' };
}
