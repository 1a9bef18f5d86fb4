/** Records in a browser: made, changed, moved on the board, merged, converted, imported. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { accessible, call, eventually, start } from './host.mjs';

const SHOTS = process.env.LETTERCASE_E2E_PICTURES;
let at, page;
const shot = async (name, of = page) => { if (SHOTS) { mkdirSync(SHOTS, { recursive: true }); await of.screenshot({ path: `${SHOTS}/${name}.png` }); } };
const make = async (kind, name, more = {}) => {
  const { status, body } = await call(page, 'POST', '/records', { kind, name, ...more });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
};
const record = async (id) => (await call(page, 'GET', `/records/${id}`)).body;
const heading = (name) => page.getByRole('heading', { level: 1, name }).waitFor();

before(async () => {
  at = await start();
  page = await at.open();
  await at.signIn(page, '/records/account');
});
after(() => at?.stop());

test('B5: a contact is made with its accounts, changed, and its history says what was different', async () => {
  await make('account', 'Zelený Strom');
  await make('account', 'Modrá Sova');
  await page.getByRole('link', { name: 'Contacts', exact: true }).click();
  await page.getByRole('link', { name: 'New contact' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Jan Novák');
  await page.getByLabel('Addresses').fill('jan@strom.example');
  await page.getByRole('button', { name: 'Choose an account' }).click();
  await page.getByRole('combobox', { name: 'Choose an account' }).fill('zeleny');
  await page.getByRole('option', { name: /Zelený Strom/ }).click();
  await page.getByRole('button', { name: 'Add an account' }).click();
  await page.getByRole('combobox', { name: 'Choose an account' }).fill('modra');
  await page.getByRole('option', { name: /Modrá Sova/ }).click();
  await page.getByRole('button', { name: 'Remove: Modrá Sova' }).waitFor();
  await accessible(page, 'record form');
  await shot('records-form');
  await page.getByRole('button', { name: 'Save' }).click();
  await heading('Jan Novák');
  const facts = page.getByRole('complementary', { name: 'Facts' });
  for (const name of ['Zelený Strom', 'Modrá Sova']) await facts.getByRole('link', { name }).waitFor();
  await page.getByRole('button', { name: 'Edit' }).click();
  await page.getByLabel('Description').fill('Met at the fair');
  await page.getByRole('button', { name: 'Save' }).click();
  await facts.getByText('Met at the fair').waitFor();
  const id = Number(page.url().split('/').pop());
  const { rows } = (await call(page, 'GET', `/records/${id}/stream`)).body;
  assert.deepEqual(rows[0].changes, [{ field: 'description', label: '', from: '', to: 'Met at the fair' }]);
  await facts.getByRole('link', { name: 'Modrá Sova' }).click();
  await heading('Modrá Sova');
  await facts.getByRole('link', { name: /Jan Novák/ }).waitFor();
  await accessible(page, 'account page');
  await shot('records-account');
});

test('B5: the list is filtered by status, person and what one follows, and the address keeps it', async () => {
  const me = (await call(page, 'GET', '/session')).body.user.id;
  await make('lead', 'Lead of mine', { assignee_id: me, stage: 'contacted' });
  const other = await make('lead', 'Lead of nobody');
  await call(page, 'DELETE', `/records/${other.id}/follow`);
  await page.goto(`${at.url}/records/lead`);
  const line = (name) => page.getByRole('row', { name: new RegExp(name) });
  await line('Lead of nobody').waitFor();
  await page.getByLabel('Assignee').selectOption({ label: 'Assigned to me' });
  await line('Lead of mine').waitFor();
  await eventually(() => line('Lead of nobody').count(), 0);
  await page.getByLabel('Assignee').selectOption({ label: 'Anybody' });
  await page.getByLabel('Status').selectOption({ label: 'Contacted' });
  await eventually(() => line('Lead of nobody').count(), 0);
  assert.match(page.url(), /stage=contacted/);
  await page.reload();
  await line('Lead of mine').waitFor();
  assert.equal(await page.getByLabel('Status').inputValue(), 'contacted');
  await page.getByLabel('Status').selectOption('');
  await page.getByLabel('Followed by me').check();
  await line('Lead of mine').waitFor();
  await eventually(() => line('Lead of nobody').count(), 0);
  await accessible(page, 'records list');
  await shot('records-list');
});

test('B5: opportunities stand on a board and are moved by mouse, menu and keys', async () => {
  const deal = await make('opportunity', 'Fifty desks', { amount: '12500', currency: 'EUR', closes_on: '2031-05-31' });
  const stage = async () => (await record(deal.id)).stage;
  await page.goto(`${at.url}/records/opportunity`);
  const column = (name) => page.getByRole('region', { name, exact: true });
  const card = (in_) => column(in_).getByRole('link', { name: 'Fifty desks' });
  await card('New').waitFor();
  await column('New').getByText('€12,500').first().waitFor();
  await card('New').dragTo(column('Qualified'));
  await card('Qualified').waitFor();
  await eventually(stage, 'qualified', 'by mouse');
  await page.getByRole('button', { name: 'Move Fifty desks' }).click();
  await page.getByRole('menuitem', { name: 'Negotiation' }).click();
  await card('Negotiation').waitFor();
  await eventually(stage, 'negotiation', 'by menu');
  await card('Negotiation').focus();
  await page.keyboard.press('Alt+ArrowRight');
  await card('Won').waitFor();
  await eventually(stage, 'won', 'by keys');
  await accessible(page, 'board');
  await shot('records-board');
  // Two at once: between what this page shows and what it writes somebody else moves the card.
  const other = await at.open();
  await at.signIn(other, '/records/opportunity');
  await page.route(`**/api/v1/records/${deal.id}`, async (route) => {
    const { version } = (await call(other, 'GET', `/records/${deal.id}`)).body;
    assert.equal((await call(other, 'PATCH', `/records/${deal.id}`, { stage: 'proposal', version })).status, 200);
    await route.continue();
  }, { times: 1 });
  await card('Won').focus();
  await page.keyboard.press('Alt+ArrowRight');
  await page.getByText(/was changed by somebody else meanwhile/).waitFor();
  await card('Proposal').waitFor();
  assert.equal(await stage(), 'proposal', 'the later mover did not win silently');
  await other.context().close();
  // One after the other by the same hand is no conflict.
  await card('Proposal').focus();
  await page.keyboard.press('Alt+ArrowRight');
  await page.keyboard.press('Alt+ArrowRight');
  await card('Won').waitFor();
  await eventually(stage, 'won', 'by keys again');
  await page.getByRole('link', { name: 'List', exact: true }).click();
  await page.getByRole('row', { name: /Fifty desks/ }).getByText('Won · €12,500').waitFor();
});

test('B5: duplicates are found, compared and merged, and the old address leads to the one that stays', async () => {
  const one = await make('contact', 'Iva Dvořáková', { addresses: ['iva@dvorak.example'], fields: { Phone: '1' } });
  const two = await make('contact', 'Iva Dvorakova', { addresses: ['iva@dvorak.example', 'e@home.example'], fields: { Phone: '2', City: 'Brno' } });
  await page.goto(`${at.url}/records/contact/duplicates`);
  await page.getByText('Same address: iva@dvorak.example').waitFor();
  await accessible(page, 'duplicates');
  await shot('records-duplicates');
  await page.getByRole('link', { name: 'Compare: Iva Dvořáková, Iva Dvorakova' }).click();
  await heading('Merge two records');
  await page.getByText('This cannot be undone.').waitFor();
  await page.getByRole('radio', { name: 'Phone: 2' }).check();
  await accessible(page, 'merge');
  await shot('records-merge');
  await page.getByRole('button', { name: 'Merge for good' }).click();
  await heading('Iva Dvořáková');
  const merged = await record(one.id);
  assert.deepEqual([merged.addresses, merged.fields], [['e@home.example', 'iva@dvorak.example'], [{ label: 'Phone', value: '2' }, { label: 'City', value: 'Brno' }]]);
  await page.goto(`${at.url}/records/contact/${two.id}`);
  await page.waitForURL(`**/records/contact/${one.id}`);
});

test('B2: a lead becomes a contact of an account, with an opportunity', async () => {
  const lead = await make('lead', 'Petra Malá', { addresses: ['petra@mala.example'] });
  await page.goto(`${at.url}/records/lead/${lead.id}`);
  await page.getByRole('button', { name: 'Convert to a contact' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('radio', { name: /By name/ }).check();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Malá a syn');
  await dialog.getByRole('checkbox', { name: 'Create an opportunity too' }).check();
  await accessible(page, 'convert');
  await shot('records-convert');
  await dialog.getByRole('button', { name: 'Convert to a contact' }).click();
  await page.waitForURL(/\/records\/contact\/\d+$/);
  await page.getByRole('complementary', { name: 'Facts' }).getByRole('link', { name: 'Malá a syn' }).click();
  await heading('Malá a syn');
  await page.getByRole('link', { name: /Petra Malá · New/ }).waitFor();
  await page.goto(`${at.url}/records/lead/${lead.id}`);
  await page.getByText('This lead became the contact').waitFor();
});

test('B5: a file is looked at before it is imported, and what is refused says why', async () => {
  await make('contact', 'Known', { addresses: ['known@x.example'] });
  await page.goto(`${at.url}/records/import?kind=contact`);
  await accessible(page, 'import');
  const csv = 'Jméno;E-mail;Firma;Barva\nNový Člověk;new@x.example;Nová Firma;červená\nKnown;known@x.example;;modrá\nBad;not an address;;\n';
  await page.getByLabel('File', { exact: true }).setInputFiles({ name: 'lidé.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await heading('lidé.csv');
  const rows = page.getByRole('region', { name: 'Preview' }).getByRole('row');
  await rows.filter({ hasText: 'Nový Člověk' }).getByText('New', { exact: true }).waitFor();
  await rows.filter({ hasText: 'modrá' }).getByText('Barva: modrá').waitFor();
  await rows.filter({ hasText: 'not an address' }).getByText(/^Refused/).waitFor();
  assert.equal(await page.getByLabel('Column: Firma').inputValue(), 'account');
  await page.getByLabel('Column: Barva').selectOption('description');
  await rows.filter({ hasText: 'modrá' }).getByText('Description: modrá').waitFor();
  await accessible(page, 'import preview');
  await shot('records-import-preview');
  assert.equal((await call(page, 'GET', '/records?kind=account&q=nova%20firma')).body.total, 0, 'nothing is written yet');
  await page.getByRole('button', { name: 'Import 3 rows' }).click();
  await page.getByText('Everything is imported.').waitFor();
  await page.getByText('not an address').waitFor();
  await accessible(page, 'import done');
  await shot('records-import-done');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download them as CSV' }).click()]);
  assert.equal(download.suggestedFilename(), 'refused.csv');
  const made = (await call(page, 'GET', '/records?kind=contact&q=new%40x')).body.rows[0];
  assert.deepEqual([made.name, made.account.name], ['Nový Člověk', 'Nová Firma']);
  await page.goto(`${at.url}/records/import`);
  await page.getByRole('link', { name: 'lidé.csv' }).waitFor();
});

test('B5: the pages of records fit a phone, speak Czech and are legible in the dark', async () => {
  const phone = await at.open({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  await at.signIn(phone, '/records/opportunity');
  await call(phone, 'PATCH', '/me', { language: 'cs', theme: 'dark' });
  for (const path of ['/records/opportunity', '/records/contact/duplicates', '/records/import', '/records/lead/new']) {
    await phone.goto(at.url + path);
    await phone.getByRole('heading', { level: 1 }).first().waitFor();
    await phone.waitForLoadState('networkidle');
    assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} is too wide`);
    await accessible(phone, `${path} on a phone`);
    await shot(`records-phone${path.replaceAll('/', '-')}`, phone);
  }
  await call(phone, 'PATCH', '/me', { language: 'en', theme: 'system' });
});

test('nothing was said in the console', () => assert.deepEqual(at.noise.filter((n) => !/status of 4(00|01|09|22)/.test(n) && !/body\.html/.test(n)), []));
