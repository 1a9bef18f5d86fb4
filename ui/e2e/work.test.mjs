/** What people do all day, in a browser, against the real program with real mail. The sample speaks four languages; the interface is English unless a test says otherwise. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { accessible, call, eventually, start } from './host.mjs';

const SHOTS = process.env.LETTERCASE_E2E_PICTURES; // a folder: pictures of each page are left there
let at, page;
const shot = async (name, of = page) => { if (SHOTS) { mkdirSync(SHOTS, { recursive: true }); await of.screenshot({ path: `${SHOTS}/${name}.png` }); } };
const grid = () => page.getByRole('grid', { name: 'Conversations' });
const rows = () => grid().getByRole('row');
const actions = () => page.getByRole('group', { name: 'Actions' });
const toast = (text) => page.getByRole('status').getByText(text);
const threadId = () => Number(/\/inbox\/\w+\/(\d+)/.exec(page.url())?.[1]);
/** Opens the first thread of a view, by mouse. */
async function openFirst(view = 'open') {
  await page.goto(`${at.url}/inbox/${view}`);
  await rows().first().click();
  await page.getByRole('region', { name: 'Messages and notes' }).waitFor();
}

before(async () => {
  at = await start();
  page = await at.open();
});
after(() => at?.stop());

test('a wrong password is refused in words, the right one opens the inbox', async () => {
  await page.goto(at.url);
  await page.getByLabel('User name').fill(at.login);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('The user name or the password is wrong.').first().waitFor();
  await accessible(page, 'sign-in');
  await page.getByLabel('Password').fill(at.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(/\/inbox\/open/);
  await rows().first().waitFor();
  assert.match(await page.title(), /Open · Lettercase/);
});

test('an address asked for before signing in is shown after it, one of another site never', async () => {
  const other = await at.open();
  await at.signIn(other, '/records/contact?q=a');
  await other.waitForURL(/\/records\/contact\?q=a$/);
  await call(other, 'DELETE', '/session');
  await at.signIn(other, '/sign-in?to=//evil.example/');
  assert.equal(new URL(other.url()).origin, new URL(at.url).origin);
  await other.context().close();
});

test('the list knows its whole length but draws only what is visible', async () => {
  const total = Number(await grid().getAttribute('aria-rowcount'));
  assert.ok(total > 0);
  assert.ok((await rows().count()) <= 60);
  assert.match(await page.locator('.list header').innerText(), new RegExp(total.toLocaleString('en-GB')));
});

test('the keyboard alone moves, opens, and leads back', async () => {
  await page.goto(`${at.url}/inbox/all`);
  await rows().nth(1).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/inbox\/all\/\d+/);
  const second = threadId();
  await page.keyboard.press('k');
  await page.waitForFunction((id) => !location.pathname.endsWith(`/${id}`), second);
  await page.keyboard.press('j');
  await page.waitForURL(new RegExp(`/inbox/all/${second}$`));
  await page.keyboard.press('u');
  await page.waitForURL(/\/inbox\/all$/);
  await page.keyboard.press('g');
  await page.keyboard.press('m');
  await page.waitForURL(/\/inbox\/mine$/);
});

test('Enter and the arrows keep their meaning on buttons, links and in the text', async () => {
  await openFirst('all');
  await page.getByRole('button', { name: /^Add note/ }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('textbox', { name: 'Internal note' }).waitFor();
  await page.keyboard.press('Escape');
  const here = page.url();
  await page.getByRole('region', { name: 'Messages and notes' }).focus();
  await page.keyboard.press('ArrowDown');
  await page.waitForTimeout(200);
  assert.equal(page.url(), here, 'the arrow scrolls the text and does not change the thread');
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: /^Waiting/ }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/inbox\/waiting$/);
});

test('opening a thread marks it read, Shift+U marks it unread again', async () => {
  await openFirst('all');
  const state = async () => (await call(page, 'GET', `/threads/${threadId()}`)).body.row.unread;
  await page.waitForFunction(() => !document.querySelector('[role=row][aria-selected=true] .unread'));
  await eventually(state, false);
  await page.keyboard.press('Shift+U');
  await toast('Marked as unread').waitFor();
  await page.locator('[role=row][aria-selected=true] .unread').waitFor();
  await eventually(state, true);
});

test('a mail is shown in a frame that runs nothing and loads nothing from elsewhere', async () => {
  await openFirst('all');
  const frame = page.locator('iframe').last();
  await frame.waitFor();
  assert.deepEqual((await frame.getAttribute('sandbox')).split(' ').sort(), ['allow-popups', 'allow-popups-to-escape-sandbox', 'allow-same-origin']);
  const answer = await page.request.get(at.url + (await frame.getAttribute('src')));
  const csp = answer.headers()['content-security-policy'];
  assert.match(csp, /default-src 'none'/);
  assert.match(csp, /sandbox (?!.*allow-scripts)/);
  assert.doesNotMatch(csp, /script-src/);
  assert.doesNotMatch(await answer.text(), /<script|\son\w+=|src="?https?:/i);
  assert.ok((await frame.boundingBox()).height > 60, 'the frame grows with its content');
});

test('the app itself lives under a strict content security policy', async () => {
  const csp = (await page.request.get(at.url)).headers()['content-security-policy'];
  assert.match(csp, /default-src 'none'/);
  assert.match(csp, /script-src 'self'(;|$)/);
  assert.match(csp, /require-trusted-types-for 'script'/);
  assert.match(csp, /frame-ancestors 'none'/);
});

test('B2: the record panel names the record and why it is linked, and the message says why it is here', async () => {
  const { body } = await call(page, 'GET', '/threads?view=all&offset=0&limit=100');
  const linked = body.rows.find((r) => r.records.some((x) => x.kind !== 'case'));
  assert.ok(linked, 'no thread of the sample is linked to a record');
  await page.goto(`${at.url}/inbox/all/${linked.id}`);
  const panel = page.getByRole('complementary', { name: 'Linked records' });
  await panel.getByRole('link', { name: linked.records.find((x) => x.kind !== 'case').name }).waitFor();
  await panel.getByText(/Sender address|Recipient address|Address in copy|Domain of the sender|Account of the contact|Reply-to address/).first().waitFor();
  await page.getByRole('button', { name: 'Why is it here?' }).last().click();
  const why = page.getByRole('dialog', { name: 'Why is it here?' });
  await why.getByRole('listitem').first().waitFor();
  await why.getByText('Message-ID').waitFor();
  await shot('why');
  await accessible(page, 'why');
  const [download] = await Promise.all([page.waitForEvent('download'), why.getByRole('link', { name: 'Download the original' }).click()]);
  assert.equal(await download.failure(), null);
  await page.keyboard.press('Escape');
});

test('B2: a record is linked by hand, with the person as the reason, and unlinked with an undo', async () => {
  const { body: made } = await call(page, 'POST', '/records', { kind: 'account', name: `Linked by test ${Date.now()}` });
  await openFirst('all');
  await page.keyboard.press('m');
  await page.getByRole('dialog').getByPlaceholder('Name, address or number…').fill(made.name);
  await page.getByRole('option', { name: new RegExp(made.name) }).click();
  const panel = page.getByRole('complementary', { name: 'Linked records' });
  await panel.getByRole('link', { name: made.name }).waitFor();
  await panel.getByText('Linked by hand').waitFor();
  await panel.getByRole('button', { name: `Remove the link: ${made.name}` }).click();
  await panel.getByRole('link', { name: made.name }).waitFor({ state: 'detached' });
  await page.keyboard.press('z');
  await panel.getByRole('link', { name: made.name }).waitFor();
});

test('D1: a case is assigned, closed and reopened by keys, and every step can be undone', async () => {
  const { body } = await call(page, 'GET', '/threads?view=open&offset=0&limit=50');
  const row = body.rows.find((r) => r.case?.status === 'open');
  assert.ok(row, 'no open case in the sample');
  const now = async () => (await call(page, 'GET', `/cases/${row.case.id}`)).body;
  await call(page, 'PATCH', `/cases/${row.case.id}`, { assignee_id: null });
  await page.goto(`${at.url}/inbox/all/${row.id}`);
  await actions().getByRole('button', { name: /^Assign: Nobody/ }).waitFor();
  await page.keyboard.press('w');
  await page.getByRole('menu').waitFor();
  await page.keyboard.press('w');
  await actions().getByRole('button', { name: /^Assign: (?!Nobody)/ }).waitFor();
  await page.keyboard.press('e');
  await toast(/: Closed$/).waitFor();
  await actions().getByRole('button', { name: 'Reopen' }).waitFor();
  await eventually(async () => (await now()).status, 'closed');
  await page.keyboard.press('z');
  await actions().getByRole('button', { name: 'Close', exact: true }).waitFor();
  await eventually(async () => (await now()).status, 'open');
  assert.ok((await now()).assignee, 'undoing the closing keeps the assignment');
});

test('an internal note is amber, survives a reload unsent, and is saved with Ctrl+Enter', async () => {
  await openFirst('all');
  await page.keyboard.press('n');
  const box = page.getByRole('textbox', { name: 'Internal note' });
  await box.fill('Call the carrier – přepravce');
  await page.reload();
  await page.getByRole('button', { name: /^Add note/ }).click();
  assert.equal(await box.inputValue(), 'Call the carrier – přepravce');
  await shot('note');
  await accessible(page, 'note composer');
  await box.press('Control+Enter');
  await box.waitFor({ state: 'detached' });
  const saved = page.getByRole('article', { name: /^Internal note: / }).filter({ hasText: 'Call the carrier – přepravce' });
  await saved.waitFor();
  const colour = await saved.evaluate((e) => getComputedStyle(e).backgroundColor);
  assert.notEqual(colour, await page.locator('body').evaluate((e) => getComputedStyle(e).backgroundColor));
});

test('text written for one thread never moves to another', async () => {
  await page.goto(`${at.url}/inbox/all`);
  await rows().first().click();
  await page.getByRole('region', { name: 'Messages and notes' }).waitFor();
  await page.keyboard.press('n');
  await page.getByRole('textbox', { name: 'Internal note' }).fill('only for the first');
  await rows().nth(1).click();
  await page.getByRole('button', { name: /^Add note/ }).click();
  assert.equal(await page.getByRole('textbox', { name: 'Internal note' }).inputValue(), '');
  await rows().first().click();
  await page.getByRole('button', { name: /^Add note/ }).click();
  const box = page.getByRole('textbox', { name: 'Internal note' });
  assert.equal(await box.inputValue(), 'only for the first');
  await box.fill('');
});

test('a session that ends while somebody writes asks to sign in again and loses nothing', async () => {
  await openFirst('all');
  await page.keyboard.press('n');
  const box = page.getByRole('textbox', { name: 'Internal note' });
  const text = `Written over the end of a session ${Date.now()}`;
  await box.fill(text);
  await page.context().clearCookies();
  await box.press('Control+Enter');
  const dialog = page.getByRole('dialog', { name: 'Sign in again' });
  await dialog.waitFor();
  await page.keyboard.press('Escape'); // there is no way around it
  await dialog.getByLabel('Password').fill(at.password);
  await accessible(page, 'sign in again');
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('article', { name: /^Internal note: / }).filter({ hasText: text }).waitFor();
});

test('I3: what somebody else writes appears by itself, in every tab', async () => {
  await openFirst('all');
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.getByRole('region', { name: 'Messages and notes' }).waitFor();
  const id = threadId(), text = `From elsewhere ${Date.now()}`;
  const third = await at.open();
  await at.signIn(third);
  assert.equal((await call(third, 'POST', `/threads/${id}/notes`, { body: text })).status < 300, true);
  await page.getByText(text).waitFor();
  await other.getByText(text).waitFor();
  await third.context().close();
  await other.close();
});

test('H3: search finds a word, shows the passage with the word marked, and opens the thread', async () => {
  const { body } = await call(page, 'GET', '/threads?view=all&offset=0&limit=20');
  const word = body.rows.flatMap((r) => r.subject.match(/\p{L}{6,}/gu) ?? [])[0];
  assert.ok(word);
  await page.goto(`${at.url}/inbox/all`);
  await rows().first().waitFor();
  await page.keyboard.press('/');
  await page.waitForURL(/\/search$/);
  await accessible(page, 'search help');
  await page.getByRole('searchbox', { name: 'What to search for' }).fill(word);
  await page.keyboard.press('Enter');
  await page.getByText(/messages? found/).waitFor();
  const found = page.getByRole('grid', { name: 'Messages found' }).getByRole('row');
  await found.first().waitFor();
  await shot('search');
  await accessible(page, 'search');
  await found.first().click();
  await page.waitForURL(/\/inbox\/all\/\d+/);
});

test('H3: a passage shows what matched', async () => {
  const { body } = await call(page, 'GET', '/threads?view=all&offset=0&limit=50');
  const word = body.rows.flatMap((r) => r.snippet.match(/\p{L}{7,}/gu) ?? [])[0];
  await page.goto(`${at.url}/search?q=${encodeURIComponent(word)}`);
  const mark = page.locator('mark').first();
  await mark.waitFor();
  const plain = (s) => s.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  assert.ok(plain(await mark.innerText()).includes(plain(word).slice(0, 5)));
});

test('a wrong operator is explained in words', async () => {
  await page.goto(`${at.url}/search?q=${encodeURIComponent('before:tomorrow')}`);
  await page.getByRole('alert').getByText(/2026-01-31/).waitFor();
});

test('Ctrl+K finds commands without diacritics, records and messages, and runs them', async () => {
  await openFirst('all');
  await page.keyboard.press('Control+k');
  const box = page.getByPlaceholder('Find a command, record or message…');
  await box.fill('unread');
  await page.getByRole('option', { name: /Mark as unread/ }).waitFor();
  await shot('palette');
  await accessible(page, 'palette');
  await box.fill('switch light');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.documentElement.dataset.theme === 'dark');
  await shot('thread-dark');
  await accessible(page, 'thread dark');
  await page.keyboard.press('Control+k');
  await box.fill('switch light');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.documentElement.dataset.theme === 'light');
});

test('? lists the shortcuts; switched off, single keys do nothing', async () => {
  await openFirst('all');
  await page.keyboard.press('?');
  const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await help.getByText('Mark as unread').waitFor();
  await accessible(page, 'help');
  await page.keyboard.press('Escape');
  await call(page, 'PATCH', '/me', { shortcuts: false });
  await page.reload();
  await page.getByRole('region', { name: 'Messages and notes' }).waitFor();
  await page.keyboard.press('n');
  await page.waitForTimeout(200);
  assert.equal(await page.getByRole('textbox', { name: 'Internal note' }).count(), 0);
  await call(page, 'PATCH', '/me', { shortcuts: true });
});

test('a record is created, found, changed and shows its history', async () => {
  const name = `Žluťoučký kůň ${Date.now()}`;
  await page.goto(`${at.url}/records/account`);
  await page.getByRole('link', { name: 'New account' }).click();
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Addresses').fill('info@kun.example');
  await page.getByRole('button', { name: 'Add a field' }).click();
  await page.getByPlaceholder('Field').fill('IČO');
  await page.getByPlaceholder('Value').fill('25596641');
  await accessible(page, 'record form');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
  await page.getByText('25596641').waitFor();
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('Name', { exact: true }).fill(`${name} s.r.o.`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { level: 1, name: `${name} s.r.o.` }).waitFor();
  await page.getByRole('link', { name: 'History' }).click();
  await page.getByText(/^Created/).waitFor();
  await shot('record');
  await accessible(page, 'record');
  await page.goto(`${at.url}/records/account?q=${encodeURIComponent('zlutoucky')}`);
  await page.getByRole('row').filter({ hasText: name }).first().waitFor();
});

test('a form that was changed asks before it is left', async () => {
  await page.goto(`${at.url}/records/contact/new`);
  await page.getByLabel('Name', { exact: true }).fill('Half a name');
  const asked = [];
  page.once('dialog', (d) => { asked.push(d.message()); void d.dismiss(); });
  await page.getByRole('link', { name: 'Search' }).click();
  assert.equal(asked.length, 1);
  assert.match(page.url(), /\/records\/contact\/new$/);
  page.once('dialog', (d) => void d.accept());
  await page.getByRole('link', { name: 'Search' }).click();
  await page.waitForURL(/\/search$/);
});

test('the case page shows its conversations, its history and its record', async () => {
  await page.goto(`${at.url}/records/case`);
  await page.getByRole('grid', { name: 'Cases' }).getByRole('row').first().click();
  await page.waitForURL(/\/cases\/\d+$/);
  await page.getByRole('heading', { level: 2, name: 'Conversations' }).waitFor();
  await page.getByRole('heading', { level: 2, name: 'History' }).waitFor();
  await shot('case');
  await accessible(page, 'case');
});

test('A14: scan now shows that it works, and the state afterwards', async () => {
  await page.goto(`${at.url}/settings/mailboxes`);
  const box = page.getByRole('region', { name: /@/ }).filter({ has: page.getByRole('button', { name: /^Scan now/, disabled: false }) }).first();
  await box.waitFor();
  await page.evaluate(() => {
    window.said = new Set();
    new MutationObserver(() => document.querySelectorAll('section p[role=status]').forEach((p) => window.said.add(p.textContent))).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await box.getByRole('button', { name: /^Scan now/ }).click();
  await box.getByText(/^Working · last success: (now|this minute|0|[1-9]\d? ?(sec|s|min))/).waitFor();
  await box.getByRole('button', { name: /^Scan now/, disabled: false }).waitFor();
  assert.ok((await page.evaluate(() => [...window.said])).includes('Scanning'), 'it says what it does while it does it');
  await shot('mailboxes');
  await accessible(page, 'mailboxes');
});

test('A21: the ledger of every mailbox is shown, per folder too, and its difference is 0', async () => {
  await page.goto(`${at.url}/settings/mailboxes`);
  const tables = page.getByRole('table', { name: /^Account of all messages/ });
  await tables.first().waitFor();
  for (const table of await tables.all()) {
    assert.deepEqual((await table.getByRole('columnheader').allInnerTexts()).slice(1).filter((c) => c !== 'Vanished'), ['Seen', 'Filed', 'Filtered', 'Quarantined', 'Waiting', 'Difference']);
    assert.equal(await table.getByRole('row').last().getByRole('cell').last().innerText(), '0');
  }
  await page.getByRole('button', { name: /^\d+ folders?$/ }).first().click();
  await page.getByRole('rowheader', { name: 'INBOX' }).waitFor();
});

test('a person is added with a role, signs in and sees only what the role allows, and is shut out again', async () => {
  const login = `eva${Date.now()}`;
  await page.goto(`${at.url}/settings/people`);
  await page.getByRole('button', { name: 'Add person' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Eva Žáková');
  await page.getByLabel('User name').fill(login);
  await page.getByLabel('Password').fill('a long enough one');
  const roles = page.getByLabel('Role', { exact: true });
  const names = await roles.getByRole('option').allInnerTexts();
  await roles.selectOption(names.find((n) => !/admin/i.test(n)));
  await accessible(page, 'person form');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('row', { name: new RegExp(login) }).waitFor();
  const theirs = await at.open();
  await theirs.goto(at.url);
  await theirs.getByLabel('User name').fill(login);
  await theirs.getByLabel('Password').fill('a long enough one');
  await theirs.getByRole('button', { name: 'Sign in' }).click();
  await theirs.getByRole('navigation', { name: 'Main' }).waitFor();
  assert.equal(await theirs.getByRole('link', { name: 'Settings', exact: true }).count(), 0);
  await theirs.goto(`${at.url}/settings/people`);
  await theirs.getByText('Only administrators see this page.').waitFor();
  await page.getByRole('row', { name: new RegExp(login) }).getByRole('button', { name: /^Edit/ }).click();
  await page.getByRole('checkbox', { name: /^May sign in/ }).uncheck();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('row', { name: new RegExp(login) }).getByText('inactive').waitFor();
  assert.equal((await theirs.request.get(`${at.url}/api/v1/views`)).status(), 401);
  await theirs.context().close();
});

test('people, quarantine and my settings are reachable and accessible', async () => {
  for (const [path, heading] of [['/settings/people', 'People'], ['/settings/quarantine', 'Quarantine'], ['/me', 'My settings'], ['/records/contact', 'Records'], ['/nowhere', 'There is nothing here']]) {
    await page.goto(at.url + path);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
    await accessible(page, path);
  }
});

test('E9: an API token works, is shown once, and ends when it is ended', async () => {
  await page.goto(`${at.url}/me`);
  await page.getByRole('textbox', { name: 'Name' }).last().fill('Browser test');
  await page.getByRole('button', { name: 'Create token' }).click();
  const token = await page.locator('code').innerText();
  assert.match(token, /^lc_/);
  const ask = async () => (await fetch(`${at.url}/api/v1/views`, { headers: { Authorization: `Bearer ${token}` } })).status;
  assert.equal(await ask(), 200);
  await page.reload();
  await page.getByRole('rowheader', { name: 'Browser test' }).waitFor();
  assert.equal(await page.getByText(token).count(), 0);
  page.once('dialog', (d) => void d.accept());
  await page.getByRole('row', { name: /Browser test/ }).getByRole('button', { name: 'End' }).click();
  await page.getByRole('rowheader', { name: 'Browser test' }).waitFor({ state: 'detached' });
  assert.equal(await ask(), 401);
});

test('I4: the interface speaks Czech, Slovak, Polish and English, and keeps the choice', async () => {
  for (const [language, heading, inbox] of [['cs', 'Moje nastavení', 'Pošta'], ['sk', 'Moje nastavenia', 'Pošta'], ['pl', 'Moje ustawienia', 'Poczta'], ['en', 'My settings', 'Inbox']]) {
    await page.goto(`${at.url}/me`);
    const saved = page.waitForResponse((r) => r.url().endsWith('/api/v1/me') && r.request().method() === 'PATCH');
    await page.locator('select').first().selectOption(language);
    await saved;
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    await page.reload();
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    assert.equal(await page.getAttribute('html', 'lang'), language);
    await page.goto(`${at.url}/inbox/all`);
    await page.getByText(inbox, { exact: true }).first().waitFor();
    await rowsOf(page).first().waitFor();
    await shot(`inbox-${language}`);
  }
});
const rowsOf = (p) => p.getByRole('row');

test('the compact density shows more rows', async () => {
  await page.goto(`${at.url}/inbox/all`);
  await rows().first().waitFor();
  const height = async () => (await rows().first().boundingBox()).height;
  const comfortable = await height();
  await call(page, 'PATCH', '/me', { density: 'compact' });
  await page.reload();
  await rows().first().waitFor();
  assert.ok((await height()) < comfortable);
  await shot('inbox-compact');
  await accessible(page, 'compact');
  await call(page, 'PATCH', '/me', { density: 'comfortable' });
});

test('a phone shows one pane at a time and everything is still reachable', async () => {
  const phone = await at.open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await at.signIn(phone, '/inbox/all');
  await phone.getByRole('row').first().waitFor();
  await shot('phone-list', phone);
  await accessible(phone, 'phone list');
  await phone.getByRole('row').first().tap();
  await phone.getByRole('region', { name: 'Messages and notes' }).waitFor();
  assert.equal(await phone.getByRole('grid').isVisible(), false);
  assert.equal(await phone.evaluate(() => [...document.querySelectorAll('article, header, .flow')].every((e) => e.getBoundingClientRect().right <= innerWidth)), true, 'nothing is cut off');
  await shot('phone-thread', phone);
  await accessible(phone, 'phone thread');
  await phone.getByRole('button', { name: 'Linked records' }).tap();
  await phone.getByRole('dialog', { name: 'Linked records' }).waitFor();
  await phone.keyboard.press('Escape');
  await phone.getByRole('button', { name: 'Back to the list' }).tap();
  await phone.getByRole('row').first().waitFor();
  await phone.getByRole('button', { name: 'Views' }).tap();
  await phone.getByRole('menuitem', { name: 'Waiting' }).tap();
  await phone.waitForURL(/\/inbox\/waiting$/);
  for (const path of ['/records/account', '/settings/mailboxes', '/search?q=a', '/me']) {
    await phone.goto(at.url + path);
    await phone.getByRole('heading', { level: 1 }).first().waitFor();
    assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, path);
    await accessible(phone, `phone ${path}`);
  }
  await phone.context().close();
});

test('a first run creates the administrator and leads to the first mailbox', async () => {
  const fresh = await at.open();
  await fresh.goto(at.empty_url);
  await fresh.getByRole('heading', { level: 1, name: 'Set up Lettercase' }).waitFor();
  await accessible(fresh, 'set-up');
  await shot('setup', fresh);
  await fresh.getByLabel('Name', { exact: true }).fill('Anna Malá');
  await fresh.getByLabel('User name').fill('anna');
  await fresh.getByLabel('Password').fill('short');
  await fresh.getByRole('button', { name: 'Create account' }).click();
  await fresh.getByText('At least 10 characters.').waitFor();
  await fresh.getByLabel('Password').fill('a long enough one');
  await fresh.getByRole('button', { name: 'Create account' }).click();
  await fresh.getByRole('heading', { level: 1, name: 'Mailboxes' }).waitFor();
  await fresh.getByRole('link', { name: 'Inbox' }).click();
  await fresh.getByText('No mailbox is connected yet.', { exact: false }).or(fresh.getByRole('row').first()).first().waitFor();
  await fresh.context().close();
});

test('signing out ends the session and shows the sign-in', async () => {
  await page.goto(`${at.url}/me`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor();
  assert.equal((await page.request.get(`${at.url}/api/v1/views`)).status(), 401);
});

test('nothing was blocked or thrown in all of this', () => {
  // Expected: the refused sign-in and the session that ended (401), the operator that is wrong (4xx), and what mails tried to load.
  const real = at.noise.filter((n) => !/status of 4(01|22|00)/.test(n) && !/body\.html/.test(n));
  assert.deepEqual(real, []);
});
