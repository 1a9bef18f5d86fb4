/** The lists that rules stand in, in the order in which they are tried. */
import type { Mailbox, User } from '../../api/client';
import { t } from '../../lib/i18n.svelte';
import { mailboxOf, type Place } from './draft';

const isOwn = (m: Mailbox, user: User | null) => m.kind === 'personal' && m.owner?.id === user?.id;

/** The lists this person keeps. */
export const allPlaces = (mailboxes: readonly Mailbox[], user: User | null): Place[] => [
  ...(user?.administrator ? ['global'] : []),
  ...mailboxes.filter((m) => isOwn(m, user)).map((m) => `own-${m.id}`),
  'mine',
  ...mailboxes.filter((m) => m.may_edit || isOwn(m, user)).map((m) => `mailbox-${m.id}`),
];
export function placeName(place: Place, mailboxes: readonly Mailbox[]): string {
  if (place === 'global') return t('rule.placeGlobal');
  if (place === 'mine') return t('rule.placeMine');
  const mailbox = mailboxes.find((m) => m.id === mailboxOf(place))?.address ?? '';
  return t(place.startsWith('own-') ? 'rule.placeOwn' : 'rule.placeMailbox', { mailbox });
}
