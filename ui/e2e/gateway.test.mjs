/** The gateway in a browser: mailboxes connected, looked after, synchronised, against a real mail server. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { accessible, call, eventually, start } from './host.mjs';
import { flagsOf } from './imap.mjs';

const SHOTS = process.env.LETTERCASE_E2E_PICTURES;
const LOOKS = 120_000; // how long a first scan may take on a busy machine
let at, page;
const shot = async (name, of = page) => { if (SHOTS) { mkdirSync(SHOTS, { recursive: true }); await of.screenshot({ path: `${SHOTS}/${name}.png`, fullPage: false }); } };
const mailboxes = async () => (await call(page, 'GET', '/mailboxes')).body.rows;
const named = async (address) => (await mailboxes()).find((m) => m.address === address);
const next = (of = page) => of.getByRole('button', { name: 'Continue', exact: true });
const step = (name, of = page) => of.getByRole('heading', { level: 2, name, exact: true }).waitFor();
const report = (of = page) => of.getByRole('region', { name: 'Test connection' });
/** A mailbox of the host's mail server as the API takes it. */
const form = (address, more = {}) => ({ kind: 'group', address, host: at.mailbox.host, port: at.mailbox.port, tls: 'none', username: address, password: at.mailbox.password, ...more });
async function connect(address, more) {
  const { status, body } = await call(page, 'POST', '/mailboxes', form(address, more));
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}
/** The first step, then the servers by hand: nothing can be guessed for .example. */
async function toSignIn(of, address, password) {
  await of.goto(`${at.url}/settings/mailboxes/new`);
  await of.getByLabel('Address', { exact: true }).fill(address);
  await next(of).click();
  await step('Sign in', of);
  const byHand = of.getByRole('radio', { name: 'Enter the server by hand' });
  if (await byHand.count()) await byHand.check();
  await of.getByLabel('IMAP server').fill(at.mailbox.host);
  await of.getByLabel('Encryption').selectOption('none');
  await of.getByLabel('Port', { exact: true }).fill(String(at.mailbox.port));
  await of.getByLabel('User name').fill(address);
  if (password) await of.getByLabel('Password').fill(password);
}

before(async () => {
  at = await start();
  page = await at.open();
  await at.signIn(page, '/settings/mailboxes');
});
after(() => at?.stop());

test('A9: a wrong password fails in words, with stage and remedy, keeps the form and saves nothing', async () => {
  const beforehand = (await mailboxes()).length;
  await page.getByRole('link', { name: 'Add mailbox' }).click();
  await step('Address');
  await accessible(page, 'wizard: address');
  await shot('wizard-1-address');
  await toSignIn(page, at.mailbox.address, 'not the password');
  await accessible(page, 'wizard: sign in');
  await shot('wizard-2-sign-in');
  await next().click();
  await step('Receiving test');
  await report().getByRole('heading', { name: 'Connecting to the mailbox failed!' }).waitFor();
  await report().getByText('Signing in: 127.0.0.1 did not accept the user name or the password.').waitFor();
  await report().getByText(/^Check user name and password/).waitFor();
  assert.deepEqual((await report().getByRole('listitem').allInnerTexts()).map((s) => s.replace('\n', '')), ['Finding the server: done', 'Connecting: done', 'Greeting: done', 'Signing in: failed']);
  await report().getByText('What was said (protocol)').click();
  assert.doesNotMatch(await report().locator('pre').innerText(), /not the password/);
  await report().getByText('The test saved nothing.').waitFor();
  await accessible(page, 'wizard: failed test');
  await shot('wizard-3-failed');
  assert.equal(await page.getByLabel('IMAP server').inputValue(), at.mailbox.host);
  assert.equal(await page.getByLabel('Port', { exact: true }).inputValue(), String(at.mailbox.port));
  assert.equal((await mailboxes()).length, beforehand);
  await page.getByLabel('Port', { exact: true }).fill('1');
  await page.getByRole('button', { name: 'Test again' }).click();
  await report().getByText(/^Connecting: 127\.0\.0\.1 does not accept connections on port 1\.$/).waitFor();
  await page.getByLabel('Port', { exact: true }).fill(String(at.mailbox.port));
});

test('A9: with the right password the same wizard goes on to the folders', async () => {
  await page.getByLabel('Password').fill(at.mailbox.password);
  await page.getByRole('button', { name: 'Test again' }).click();
  await report().getByRole('heading', { name: 'The connection works.' }).waitFor();
  await shot('wizard-3-works');
  await accessible(page, 'wizard: test');
  await next().click();
  await step('Folders');
});

test('A10: the folders of the server are listed, INBOX is preset, any two or more can be read', async () => {
  const box = (name) => page.getByRole('checkbox', { name: new RegExp(`^${name}`) });
  assert.equal(await box('INBOX').isChecked(), true);
  assert.equal(await page.getByRole('checkbox', { checked: true }).count(), 1);
  for (const folder of ['Archive', 'Projects/Alpha', 'Sent · sent mail', 'Trash · deleted items']) await box(folder).waitFor();
  await page.getByText('Is a folder missing here? Ask your provider').waitFor();
  await box('Projects/Alpha').check();
  await page.getByText('2 folders are read.').waitFor();
  await accessible(page, 'wizard: folders');
  await shot('wizard-4-folders');
});

test('A11: without the Inbox there are no notifications of new mail, and the wizard says so', async () => {
  const inbox = page.getByRole('checkbox', { name: /^INBOX/ });
  await inbox.uncheck();
  await page.getByText('The Inbox is not read. Without it there are no notifications').waitFor();
  await page.getByRole('checkbox', { name: /^Projects\/Alpha/ }).uncheck();
  await page.getByText('Choose at least one folder.').waitFor();
  await next().click();
  await step('Folders');
  await inbox.check();
  await page.getByRole('checkbox', { name: /^Projects\/Alpha/ }).check();
  assert.equal(await page.getByText('The Inbox is not read.').count(), 0);
});

test('A9: what was entered is there when the wizard is continued, without the password', async () => {
  assert.doesNotMatch(await page.evaluate(() => JSON.stringify(sessionStorage)), new RegExp(`"password":"[^"]`));
  await page.reload();
  await step('Sign in');
  await page.getByText('Passwords are not kept while you are away.').waitFor();
  assert.equal(await page.getByLabel('User name').inputValue(), at.mailbox.address);
  await page.getByLabel('Password').fill(at.mailbox.password);
  await next().click();
  await report().getByRole('heading', { name: 'The connection works.' }).waitFor();
  await next().click();
  assert.equal(await page.getByRole('checkbox', { name: /^Projects\/Alpha/ }).isChecked(), true);
  await next().click();
});

test('A12: after filing is chosen per folder, and deleting on the server is off', async () => {
  await step('After filing');
  await page.getByText('we delete nothing and answer nothing old').waitFor();
  assert.equal(await page.getByRole('checkbox', { name: /^Allow deleting on the server/ }).isChecked(), false);
  await page.getByLabel('After filing: INBOX').selectOption('leave');
  assert.equal(await page.getByLabel('After filing: Projects/Alpha').inputValue(), 'move');
  await page.getByLabel('Processed folder: Projects/Alpha').fill('Trash');
  await accessible(page, 'wizard: after filing');
  await shot('wizard-5-after');
  await next().click();
});

test('A13: a mailbox is added switched off, fetches nothing, and its mail arrives once it is on', async () => {
  const { address } = at.mailbox;
  await step('Sending');
  await page.getByRole('checkbox', { name: /^This mailbox sends mail too/ }).check();
  await page.getByLabel('SMTP server').fill(at.mailbox.host);
  await page.getByLabel('Encryption').selectOption('none');
  await page.getByLabel('Port', { exact: true }).fill(String(at.mailbox.smtp_port));
  await page.getByLabel('User name').fill('');
  await page.getByLabel('Send the test mail to').fill('ann@acme.example');
  await page.getByRole('button', { name: 'Send a test mail' }).click();
  await page.getByRole('region', { name: 'Send a test mail' }).getByRole('heading', { name: 'The server accepted the test mail.' }).waitFor();
  await accessible(page, 'wizard: sending');
  await shot('wizard-6-sending');
  await next().click();
  await step('Team and summary');
  await page.getByLabel('Process').fill('Sales');
  await page.getByLabel('Name of a new team').fill('Sales');
  await page.getByLabel('Name of a new team').press('Enter');
  await accessible(page, 'wizard: summary');
  await shot('wizard-7-summary');
  await page.getByRole('button', { name: 'Add, switched off' }).click();
  await page.getByRole('heading', { level: 1, name: address }).waitFor();
  await page.getByText('Off: nothing is fetched').first().waitFor();
  await accessible(page, 'mailbox, off');
  assert.equal((await named(address)).ledger.seen, 0);
  await page.getByRole('button', { name: 'Switch on' }).click();
  await page.getByText(/^Working/).first().waitFor({ timeout: LOOKS });
  await eventually(async () => (await named(address)).ledger.filed, 8);
  await page.getByRole('rowheader', { name: 'Projects/Alpha' }).waitFor();
  await accessible(page, 'mailbox, on');
  await shot('mailbox');
  await page.getByRole('link', { name: 'Inbox' }).click();
  await page.getByRole('navigation', { name: 'Views' }).getByText('sales@', { exact: false }).waitFor();
});

test('A21: the account of every message adds up folder by folder', async () => {
  const { id } = await named(at.mailbox.address);
  const { body } = await call(page, 'GET', `/mailboxes/${id}/ledger`);
  assert.deepEqual(body.filter((f) => f.seen).map((f) => [f.folder, f.seen, f.filed, f.difference]).sort(), [['INBOX', 5, 5, 0], ['Projects/Alpha', 3, 3, 0]]);
});

test('A6: once mail was fetched the protocol is locked, and the page says the way out', async () => {
  const { id } = await named(at.mailbox.address);
  await page.goto(`${at.url}/settings/mailboxes/${id}`);
  await page.getByRole('button', { name: 'Edit: Incoming mail server' }).click();
  assert.equal(await page.getByLabel('Protocol').isDisabled(), true);
  await page.getByText('Messages have already been downloaded, so the protocol stays.').waitFor();
  await page.getByText('Add a new mailbox with the same address and the other protocol.').waitFor();
  assert.equal(await page.getByLabel('Password', { exact: true }).inputValue(), '', 'A3: a stored password is never shown');
  await page.getByRole('button', { name: 'Test connection' }).click();
  await report().getByRole('heading', { name: 'The connection works.' }).waitFor();
  await accessible(page, 'mailbox: server');
  await page.getByRole('button', { name: 'Cancel' }).click();
});

test('A3: a personal mailbox without a password waits for its owner, who is told and fills it in', async () => {
  const address = 'ben.private@acme.example';
  await page.goto(`${at.url}/settings/mailboxes/new`);
  await page.getByRole('radio', { name: /^Personal mailbox/ }).check();
  await page.getByLabel('Owner').selectOption({ label: 'Ben Krejčí' });
  await page.getByRole('checkbox', { name: /^Without the password/ }).check();
  await page.getByLabel('Address', { exact: true }).fill(address);
  await next().click();
  await step('Sign in');
  const byHand = page.getByRole('radio', { name: 'Enter the server by hand' });
  if (await byHand.count()) await byHand.check();
  await page.getByLabel('IMAP server').fill(at.mailbox.host);
  await page.getByLabel('Encryption').selectOption('none');
  await page.getByLabel('Port', { exact: true }).fill(String(at.mailbox.port));
  assert.equal(await page.getByLabel('Password').count(), 0);
  await next().click();
  await step('Receiving test');
  await next().click();
  await step('Folders');
  await page.getByText('we recommend a folder of its own for handing over').waitFor();
  await next().click();
  await next().click();
  await page.getByRole('button', { name: 'Continue without sending' }).click();
  await page.getByRole('button', { name: 'Add, on once the password is there' }).click();
  await page.getByText('Waiting for its owner').first().waitFor();
  await accessible(page, 'mailbox that waits');
  await shot('mailbox-waits');

  const ben = await at.open();
  await at.signIn(ben, '/inbox/all', 'ben@acme.example');
  await ben.getByRole('link', { name: 'Notifications: Unread 1' }).click();
  await accessible(ben, 'notifications');
  await shot('notifications', ben);
  await ben.getByRole('link', { name: `Your mailbox ${address} waits for the password.` }).click();
  await ben.goto(`${at.url}/me/mailboxes`);
  const waits = ben.getByRole('region', { name: 'Your mailbox waits for the password' });
  await waits.getByLabel('Password').fill('wrong');
  await waits.getByRole('button', { name: 'Test and save' }).click();
  await report(ben).getByRole('heading', { name: 'Connecting to the mailbox failed!' }).waitFor();
  assert.equal((await named(address)).waiting_for_owner, true, 'a failed test saves nothing');
  await accessible(ben, 'my mailboxes');
  await shot('owner-fills-in', ben);
  await waits.getByLabel('Password').fill(at.mailbox.password);
  await waits.getByRole('button', { name: 'Test and save' }).click();
  await waits.waitFor({ state: 'detached' });
  const now = await named(address);
  assert.deepEqual([now.waiting_for_owner, now.has_password, now.active], [false, true, true]);
  await ben.context().close();
});

test('A7: an inactive mailbox is cleared after a look at what will go, and the server is not touched', async () => {
  const { id } = await named(at.mailbox.address);
  await page.goto(`${at.url}/settings/mailboxes/${id}`);
  const care = page.getByRole('region', { name: 'Care' });
  await care.getByText('Switch it off first.', { exact: false }).waitFor();
  await page.getByRole('button', { name: 'Switch off' }).click();
  await care.getByRole('button', { name: 'Prepare clearing' }).click();
  await care.getByText(/^8 messages will be removed, .* The server is not touched\.$/).waitFor();
  await accessible(page, 'clearing');
  await shot('clear');
  await care.getByRole('button', { name: 'Remove 8 for good' }).click();
  await page.getByRole('status').getByText(/^8 messages removed/).waitFor();
  assert.equal((await flagsOf(at.mailbox, at.mailbox.username, 'INBOX')).length, 5, 'they are still on the server');
});

test('A15: a synchronised mailbox shows its folders, and a flag set in the page arrives at the server', async () => {
  const box = await connect(at.synchronised, { kind: 'group', mode: 'synchronise', process: 'Office', teams: ['Office'], active: true });
  await call(page, 'PATCH', `/users/${(await call(page, 'GET', '/session')).body.user.id}`, { teams: (await call(page, 'GET', '/teams')).body.filter((t) => t.name === 'Office').map((t) => t.id) });
  const unread = async () => (await call(page, 'GET', `/mailboxes/${box.id}/folders`)).body.folders?.find((f) => f.path === 'INBOX')?.total;
  await eventually(unread, 6);
  await page.goto(`${at.url}/mailboxes/${box.id}/folders`);
  const folders = page.getByRole('navigation', { name: 'Folders' });
  await folders.getByRole('link', { name: /^Inbox/ }).waitFor();
  assert.deepEqual((await folders.getByRole('listitem').allInnerTexts()).map((s) => s.split('\n')[0]).slice(0, 3), ['Inbox', 'Drafts', 'Sent']);
  const rows = page.getByRole('grid', { name: 'Messages' }).getByRole('row');
  await rows.nth(5).waitFor();
  await accessible(page, 'folders');
  await shot('folders');
  await page.keyboard.press('s');
  await page.getByRole('status').getByText('Flagged: 1 message').waitFor();
  await eventually(async () => (await flagsOf(at.mailbox, at.synchronised, 'INBOX')).filter((f) => f.includes('\\Flagged')).length, 1);
  await page.keyboard.press('z');
  await eventually(async () => (await flagsOf(at.mailbox, at.synchronised, 'INBOX')).filter((f) => f.includes('\\Flagged')).length, 0);
  await rows.first().click();
  await page.getByRole('region', { name: 'Messages and notes' }).waitFor();
  await eventually(async () => (await flagsOf(at.mailbox, at.synchronised, 'INBOX')).filter((f) => f.includes('\\Seen')).length, 1);
  await accessible(page, 'folder with a message');
  await page.keyboard.press('u');
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await rows.nth(5).waitFor({ state: 'detached' });
  await eventually(async () => (await flagsOf(at.mailbox, at.synchronised, 'Trash')).length, 1);
});

test('A5: a mailbox is connected by POP3: no folders, and nothing is deleted on the server unless that is chosen', async () => {
  await toSignIn(page, at.synchronised, at.mailbox.password);
  await page.getByLabel('Protocol').selectOption('pop3');
  await page.getByLabel('POP3 server').fill(at.mailbox.host);
  await page.getByLabel('Port', { exact: true }).fill(String(at.mailbox.pop3_port));
  await next().click();
  await report().getByRole('heading', { name: 'The connection works.' }).waitFor();
  await next().click();
  await step('Folders');
  await page.getByText('POP3 has no folders').waitFor();
  assert.equal(await page.getByRole('checkbox').count(), 0);
  await next().click();
  await step('After filing');
  assert.equal(await page.getByRole('radio', { name: /^Leave the messages on the server/ }).isChecked(), true);
  await page.getByRole('radio', { name: /^Delete them on the server after some days/ }).check();
  await page.getByLabel('Days', { exact: true }).fill('30');
  await accessible(page, 'wizard: POP3');
  await shot('wizard-pop3');
  await next().click();
  await page.getByRole('button', { name: 'Continue without sending' }).click();
  await page.getByText('Deleted on the server after 30 days').waitFor();
  await page.getByLabel('Process').fill('Office');
  await page.getByRole('checkbox', { name: 'Support', exact: true }).check();
  await page.getByRole('button', { name: 'Add and switch on' }).click();
  await page.getByText(/^Working/).first().waitFor({ timeout: LOOKS });
  const there = (await flagsOf(at.mailbox, at.synchronised, 'INBOX')).length;
  await eventually(async () => (await mailboxes()).find((m) => m.address === at.synchronised && m.protocol === 'pop3').ledger.filed, there);
});

test('A22: what is too large to be taken is set aside with its reason, and trying again is refused in words', async () => {
  await connect(at.large, { process: 'Archive', teams: ['Support'], active: true });
  await eventually(async () => (await named(at.large)).ledger.quarantined, 1);
  await page.goto(`${at.url}/settings/quarantine`);
  const row = page.getByRole('row').filter({ hasText: at.large });
  await row.waitFor();
  await accessible(page, 'quarantine');
  await shot('quarantine');
  await page.getByRole('list', { name: 'Reasons' }).getByRole('button', { name: '1 Too large to be taken' }).waitFor();
  await row.getByRole('button', { name: 'Look' }).click();
  const raw = page.getByRole('dialog', { name: 'The original as it came' });
  await raw.getByText('The message is only on the server').waitFor();
  await accessible(page, 'quarantine: raw');
  await page.keyboard.press('Escape');
  await row.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('status').getByText('Its bytes were not taken: it is larger than the limit.').waitFor();
});

test('A2: roles say who connects personal mailboxes and who sends from group mailboxes', async () => {
  await page.goto(`${at.url}/settings/people`);
  const own = page.getByRole('checkbox', { name: 'Own mail: Personal mailboxes of one\'s own' });
  await own.check();
  await page.getByRole('status').getByText('Saved: Own mail').waitFor();
  await accessible(page, 'roles');
  assert.equal((await call(page, 'GET', '/roles')).body.find((r) => r.name === 'Own mail').own_mailboxes, true);
  const carla = await at.open();
  await at.signIn(carla, '/me/mailboxes', 'carla@acme.example');
  await carla.getByRole('link', { name: 'Add mailbox' }).click();
  await step('Address', carla);
  assert.equal(await carla.getByRole('radio').count(), 0, 'only personal ones');
  await carla.context().close();
});

test('A5: a provider is set up once, the wizard offers its sign-in, and its secret is never shown', async () => {
  await page.goto(`${at.url}/settings/providers`);
  await page.getByText('/api/v1/oauth/callback').waitFor();
  await page.getByRole('button', { name: 'Add provider' }).click();
  await page.getByLabel('Client ID').fill('lettercase.apps.example');
  await page.getByLabel('Client secret').fill('a secret of the client');
  await accessible(page, 'provider form');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('lettercase.apps.example').waitFor();
  await accessible(page, 'providers');
  assert.doesNotMatch(JSON.stringify((await call(page, 'GET', '/providers')).body), /a secret of the client/);
  await toSignIn(page, 'nobody@acme.example');
  await page.getByRole('button', { name: 'Sign in with Google' }).waitFor();
  await accessible(page, 'wizard: sign in at a provider');
  await page.goto(`${at.url}/settings/providers`);
  page.once('dialog', (d) => void d.accept());
  await page.getByRole('button', { name: 'Remove: Google' }).click();
  await page.getByText('No provider yet.').waitFor();
});

test('A17: the system sends through the group mailbox whose address is entered, the server left empty', async () => {
  const help = (await mailboxes()).find((m) => m.kind === 'group' && m.active);
  await call(page, 'PATCH', `/mailboxes/${help.id}`, { outgoing: { host: '127.0.0.1', port: 2525, tls: 'none', username: '' } });
  await page.goto(`${at.url}/settings/outgoing`);
  await page.getByLabel("Sender's address").fill(help.address);
  await page.getByRole('radio', { name: /^That of the group mailbox/ }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText(`At present mail goes out through the group mailbox ${help.address}.`).waitFor();
  await accessible(page, 'outgoing mail');
  await shot('outgoing');
});

test('A9: the wizard fits a phone, works by keyboard alone, and speaks Czech', async () => {
  const phone = await at.open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await at.signIn(phone, '/settings/mailboxes/new');
  await call(phone, 'PATCH', '/me', { language: 'cs' });
  await phone.reload();
  await phone.getByRole('heading', { level: 2, name: 'Adresa', exact: true }).waitFor();
  const fits = () => phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth && [...document.querySelectorAll('main :is(input, button, p, li)')].every((e) => e.closest('.scroll-x, .hidden, nav') || e.getBoundingClientRect().right <= innerWidth + 1));
  assert.equal(await fits(), true);
  await phone.getByLabel('Adresa', { exact: true }).focus();
  await phone.keyboard.type('nikdo@acme.example');
  await phone.keyboard.press('Enter');
  await phone.getByRole('heading', { level: 2, name: 'Přihlášení', exact: true }).waitFor();
  await accessible(phone, 'phone: sign in');
  assert.equal(await fits(), true);
  const byHand = phone.getByRole('radio', { name: 'Zadat server ručně' });
  if (await byHand.count()) await byHand.check();
  await phone.getByLabel('Server IMAP').fill('127.0.0.1');
  await phone.getByLabel('Šifrování').selectOption('none');
  await phone.getByLabel('Port', { exact: true }).fill('1');
  await phone.getByLabel('Heslo').fill('x');
  await phone.keyboard.press('Enter');
  await phone.getByRole('heading', { name: 'Připojení ke schránce se nezdařilo!' }).waitFor();
  await phone.getByText('127.0.0.1 na portu 1 spojení nepřijímá.').waitFor();
  assert.equal(await fits(), true);
  await shot('phone-wizard-failed', phone);
  await accessible(phone, 'phone: failed test');
  await call(phone, 'PATCH', '/me', { language: 'en' });
  for (const path of ['/notifications', '/me/mailboxes', '/settings/outgoing', '/settings/providers', '/settings/quarantine', '/settings/people', `/settings/mailboxes/${(await mailboxes())[0].id}`]) {
    await phone.goto(at.url + path);
    await phone.getByRole('heading', { level: 1 }).first().waitFor();
    await phone.waitForFunction(() => !document.querySelector('.wait'));
    assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, path);
    await accessible(phone, `phone ${path}`);
  }
  await phone.context().close();
});

test('nothing was blocked or thrown in all of this', () => {
  const real = at.noise.filter((n) => !/status of 4(01|04|09|22)/.test(n) && !/body\.html/.test(n));
  assert.deepEqual(real, []);
});
