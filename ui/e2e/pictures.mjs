/** Makes the pictures of docs/mailboxes.md and docs/rules.md from the running program: npm run pictures. */
import { mkdirSync, statSync } from 'node:fs';
import { call, eventually, start } from './host.mjs';
import { rulesPictures } from './rules-pictures.mjs';

const FOLDER = new URL('../../docs/pictures/', import.meta.url);
const MOST_BYTES = 200_000;
mkdirSync(FOLDER, { recursive: true });

const at = await start();
const WINDOW = { viewport: { width: 1200, height: 760 } };
const page = await at.open(WINDOW);
async function picture(name, of = page) {
  const path = new URL(`${name}.png`, FOLDER).pathname;
  await of.mouse.move(0, 0);
  await of.screenshot({ path });
  const { size } = statSync(path);
  if (size > MOST_BYTES) throw new Error(`${name}: ${size} bytes`);
  console.log(name, size);
}
const next = (name = 'Continue') => page.getByRole('button', { name, exact: true }).click();
const step = (name) => page.getByRole('heading', { level: 2, name, exact: true }).waitFor();
const report = () => page.getByRole('region', { name: 'Test connection' });

try {
  await at.signIn(page, '/settings/mailboxes/new');
  await page.getByLabel('Address', { exact: true }).fill(at.mailbox.address);
  await picture('wizard-address');
  await next();
  await step('Sign in');
  const byHand = page.getByRole('radio', { name: 'Enter the server by hand' });
  if (await byHand.count()) await byHand.check();
  await page.getByLabel('IMAP server').fill(at.mailbox.host);
  await page.getByLabel('Encryption').selectOption('none');
  await page.getByLabel('Port', { exact: true }).fill(String(at.mailbox.port));
  await page.getByLabel('User name').fill(at.mailbox.username);
  await page.getByLabel('Password').fill('wrong');
  await picture('wizard-sign-in');
  await next();
  await report().getByRole('heading', { name: 'Connecting to the mailbox failed!' }).waitFor();
  await picture('wizard-failed');
  await page.getByLabel('Password').fill(at.mailbox.password);
  await next('Test again');
  await report().getByRole('heading', { name: 'The connection works.' }).waitFor();
  await next();
  await page.getByRole('checkbox', { name: /^Projects\/Alpha/ }).check();
  await picture('wizard-folders');
  await next();
  await step('After filing');
  await picture('wizard-after');
  await next();
  await next('Continue without sending');
  await page.getByLabel('Process').fill('Sales');
  await page.getByRole('checkbox', { name: 'Sales', exact: true }).check();
  await picture('wizard-summary');
  await next('Add and switch on');
  await page.getByText(/^Working/).first().waitFor({ timeout: 120_000 });
  await page.getByRole('rowheader', { name: 'Projects/Alpha' }).waitFor();
  await eventually(async () => (await call(page, 'GET', '/mailboxes')).body.rows.find((m) => m.address === at.mailbox.address).ledger.filed, 8);
  await picture('mailbox');

  const { host, port, password } = at.mailbox;
  const users = (await call(page, 'GET', '/users')).body;
  const own = { host, port, tls: 'none', active: true };
  await call(page, 'POST', '/mailboxes', { ...own, kind: 'personal', address: 'ben.private@acme.example', username: 'ben.private@acme.example', owner_id: users.find((u) => u.login === 'ben@acme.example').id });
  const ben = await at.open(WINDOW);
  await at.signIn(ben, '/me/mailboxes', 'ben@acme.example');
  await ben.getByRole('region', { name: 'Your mailbox waits for the password' }).waitFor();
  await picture('owner', ben);

  const made = (await call(page, 'POST', '/mailboxes', { ...own, kind: 'group', address: at.synchronised, username: at.synchronised, password, mode: 'synchronise', process: 'Helpdesk', teams: ['Support'] })).body;
  await eventually(async () => (await call(page, 'GET', `/mailboxes/${made.id}/folders`)).body.folders?.find((f) => f.path === 'INBOX')?.total, 6);
  await page.goto(`${at.url}/mailboxes/${made.id}/folders`);
  await page.getByRole('grid', { name: 'Messages' }).getByRole('row').first().click();
  await page.getByRole('region', { name: 'Messages and notes' }).waitFor();
  await picture('folders');

  await call(page, 'POST', '/mailboxes', { ...own, kind: 'group', address: at.large, username: at.large, password, process: 'Archive', teams: ['Support'] });
  await eventually(async () => (await call(page, 'GET', '/quarantine')).body.total, 1);
  await page.goto(`${at.url}/settings/quarantine`);
  await page.getByRole('row').nth(1).waitFor();
  await picture('quarantine');

  await rulesPictures(at, page, picture);
} finally {
  await at.stop();
}
