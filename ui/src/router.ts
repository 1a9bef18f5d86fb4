import { withTexts } from './lib/i18n.svelte';
import { createRouter } from './lib/router.svelte';

/** A page that is not needed at first: with the texts of that area. */
const gateway = (load: () => Promise<{ default: unknown }>) => () => Promise.all([load(), withTexts('gateway')]).then(([page]) => page);

export const router = createRouter({
  '/inbox/:view/:thread?': () => import('./pages/inbox/Inbox.svelte'),
  '/search': gateway(() => import('./pages/search/Search.svelte')),
  '/records/:kind': () => import('./pages/records/Records.svelte'),
  '/records/:kind/:id': () => import('./pages/records/RecordPage.svelte'),
  '/cases/:id': () => import('./pages/cases/CasePage.svelte'),
  '/settings/mailboxes': gateway(() => import('./pages/mailboxes/Mailboxes.svelte')),
  '/settings/mailboxes/new': gateway(() => import('./pages/mailboxes/Wizard.svelte')),
  '/settings/mailboxes/:id': gateway(() => import('./pages/mailboxes/MailboxPage.svelte')),
  '/mailboxes/:id/folders/:folder?/:thread?': gateway(() => import('./pages/mailboxes/FolderPage.svelte')),
  '/settings/quarantine': gateway(() => import('./pages/settings/Quarantine.svelte')),
  '/settings/people': gateway(() => import('./pages/settings/People.svelte')),
  '/settings/outgoing': gateway(() => import('./pages/settings/Outgoing.svelte')),
  '/settings/providers': gateway(() => import('./pages/settings/Providers.svelte')),
  '/notifications': gateway(() => import('./pages/notifications/Notifications.svelte')),
  '/me/mailboxes': gateway(() => import('./pages/mailboxes/MyMailboxes.svelte')),
  '/me': gateway(() => import('./pages/me/Me.svelte')),
  '/setup': () => import('./pages/setup/SetUp.svelte'),
  '/sign-in': () => import('./pages/setup/SignIn.svelte'),
});
