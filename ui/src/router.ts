import { withTexts, type Area } from './lib/i18n.svelte';
import { createRouter } from './lib/router.svelte';

type Load = () => Promise<{ default: unknown }>;
/** A page that is not needed at first: with the texts of its areas. */
const within = (load: Load, ...areas: Area[]) => () => Promise.all([load(), withTexts(...areas)]).then(([page]) => page);
const gateway = (load: Load) => within(load, 'gateway');

export const router = createRouter({
  '/inbox/:view/:thread?': () => import('./pages/inbox/Inbox.svelte'),
  '/search': gateway(() => import('./pages/search/Search.svelte')),
  '/records/import': within(() => import('./pages/records/Import.svelte'), 'records'),
  '/records/import/:id': within(() => import('./pages/records/Import.svelte'), 'records'),
  '/records/:kind/duplicates': within(() => import('./pages/records/Duplicates.svelte'), 'records'),
  '/records/:kind/merge': within(() => import('./pages/records/Merge.svelte'), 'records'),
  '/records/:kind': within(() => import('./pages/records/Records.svelte'), 'records'),
  '/records/:kind/:id': within(() => import('./pages/records/RecordPage.svelte'), 'records', 'telling'),
  '/cases/:id': within(() => import('./pages/cases/CasePage.svelte'), 'cases', 'telling'),
  '/settings/mailboxes': gateway(() => import('./pages/mailboxes/Mailboxes.svelte')),
  '/settings/mailboxes/new': gateway(() => import('./pages/mailboxes/Wizard.svelte')),
  '/settings/mailboxes/:id': within(() => import('./pages/mailboxes/MailboxPage.svelte'), 'cases', 'gateway', 'links'),
  '/mailboxes/:id/folders/:folder?/:thread?': gateway(() => import('./pages/mailboxes/FolderPage.svelte')),
  '/settings/quarantine': gateway(() => import('./pages/settings/Quarantine.svelte')),
  '/settings/people': gateway(() => import('./pages/settings/People.svelte')),
  '/settings/outgoing': gateway(() => import('./pages/settings/Outgoing.svelte')),
  '/settings/outbox': within(() => import('./pages/settings/Outbox.svelte'), 'gateway', 'replies'),
  '/settings/templates': within(() => import('./pages/settings/Templates.svelte'), 'gateway', 'replies'),
  '/settings/webhooks': within(() => import('./pages/settings/Webhooks.svelte'), 'gateway', 'replies'),
  '/settings/providers': gateway(() => import('./pages/settings/Providers.svelte')),
  '/settings/labels': within(() => import('./pages/settings/Labels.svelte'), 'gateway', 'rules'),
  '/rules': within(() => import('./pages/rules/Rules.svelte'), 'gateway', 'rules'),
  '/rules/new': within(() => import('./pages/rules/NewRule.svelte'), 'gateway', 'rules'),
  '/rules/:id': within(() => import('./pages/rules/RulePage.svelte'), 'gateway', 'rules'),
  '/notifications': within(() => import('./pages/notifications/Notifications.svelte'), 'gateway', 'replies', 'telling'),
  '/me/mailboxes': gateway(() => import('./pages/mailboxes/MyMailboxes.svelte')),
  '/team/:id?': within(() => import('./pages/team/Team.svelte'), 'cases'),
  '/me': within(() => import('./pages/me/Me.svelte'), 'cases', 'gateway', 'telling'),
  '/setup': () => import('./pages/setup/SetUp.svelte'),
  '/sign-in': () => import('./pages/setup/SignIn.svelte'),
});
