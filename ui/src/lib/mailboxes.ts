/** A mailbox's state in words: what it is doing, and whether somebody has to act. */
import type { Mailbox } from '../api/client';
import { duration, fromNow, t } from './i18n.svelte';

/** `asked`: a scan was asked for this moment, of which the server has not told yet. */
export function stateText({ state, active, waiting_for_owner, paused }: Pick<Mailbox, 'state' | 'active' | 'waiting_for_owner' | 'paused'>, asked = false): { text: string; tone: 'good' | 'bad' | '' } {
  const last = state.last_success_at ? t('mailbox.lastSuccess', { when: fromNow(state.last_success_at) }) : t('mailbox.never');
  if (waiting_for_owner) return { text: t('mailbox.waitingForOwner'), tone: '' };
  if (asked || state.phase === 'scanning') return { text: t('mailbox.scanning'), tone: '' };
  if (paused) return { text: `${t('mailbox.paused')} ${last}`, tone: 'bad' };
  if (state.phase === 'failed') return { text: `${t('mailbox.failed')} · ${last}`, tone: 'bad' };
  if (!active || state.phase === 'off') return { text: t('mailbox.off'), tone: '' };
  if (state.phase === 'waiting') return { text: `${t('mailbox.waiting')} · ${last}`, tone: '' };
  return { text: `${t('mailbox.idle')} · ${last}`, tone: 'good' };
}
/** How long in the largest whole unit: 40 minutes, 3 hours, 2 days. */
export const span = (seconds: number) => (seconds < 5400 ? duration(Math.round(seconds / 60), 'minute') : seconds < 129_600 ? duration(Math.round(seconds / 3600), 'hour') : duration(Math.round(seconds / 86_400), 'day'));
