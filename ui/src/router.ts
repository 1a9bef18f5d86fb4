import { createRouter } from './lib/router.svelte';

export const router = createRouter({
  '/inbox/:view/:thread?': () => import('./pages/inbox/Inbox.svelte'),
  '/search': () => import('./pages/search/Search.svelte'),
  '/records/:kind': () => import('./pages/records/Records.svelte'),
  '/records/:kind/:id': () => import('./pages/records/RecordPage.svelte'),
  '/cases/:id': () => import('./pages/cases/CasePage.svelte'),
  '/settings/mailboxes': () => import('./pages/settings/Mailboxes.svelte'),
  '/settings/mailboxes/:id': () => import('./pages/settings/MailboxForm.svelte'),
  '/settings/quarantine': () => import('./pages/settings/Quarantine.svelte'),
  '/settings/people': () => import('./pages/settings/People.svelte'),
  '/me': () => import('./pages/me/Me.svelte'),
  '/setup': () => import('./pages/setup/SetUp.svelte'),
  '/sign-in': () => import('./pages/setup/SignIn.svelte'),
});
