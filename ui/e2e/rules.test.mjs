/** Rules and filters in a browser: written, tried out, switched on, ordered, and what they do with mail that arrives at a real server. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { examples, mail, write } from './examples.mjs';
import { accessible, call, eventually, start } from './host.mjs';
import { deliver, flagsOf } from './imap.mjs';

const SHOTS = process.env.LETTERCASE_E2E_PICTURES;
let at, page, mailbox, example;
const shot = async (name, of = page) => { if (SHOTS) { mkdirSync(SHOTS, { recursive: true }); await of.screenshot({ path: `${SHOTS}/${name}.png` }); } };
const SALES = 'sales@acme.example';
const arrives = (bytes) => deliver(at.mailbox, SALES, 'INBOX', bytes);
const rows = async () => (await call(page, 'GET', `/threads?view=all&mailbox=${mailbox.id}&limit=100`)).body.rows;
const subject = (bytes) => /^Subject: (.*)$/m.exec(bytes)[1];
/** The thread of a mail, once it was filed. */
async function thread(bytes) {
  const find = async () => (await rows()).find((r) => r.subject === subject(bytes));
  await eventually(async () => !!(await find()), true, `${subject(bytes)} was not filed`);
  return find();
}
const button = (name, of = page) => of.getByRole('button', { name, exact: true });
async function switchOn() {
  await button('Save and switch on').click();
  await page.getByRole('heading', { level: 1, name: 'Rules and filters' }).waitFor();
}
const rule = async (name) => (await call(page, 'GET', '/rules')).body.find((r) => r.name === name);
const order = async (label) => page.getByRole('list', { name: label }).getByRole('listitem').locator('.name').allInnerTexts();
/** Opens the newest message's details on the page and gives its trace. */
async function traceOf(id) {
  await page.goto(`${at.url}/inbox/all/${id}`);
  await page.getByRole('button', { name: 'Why is it here?' }).last().click();
  const trace = page.getByRole('region', { name: 'Rules and filters' });
  await trace.waitFor();
  return trace;
}

before(async () => {
  at = await start();
  page = await at.open();
  await at.signIn(page, '/rules');
  const { host, port, password } = at.mailbox;
  const made = await call(page, 'POST', '/mailboxes', { kind: 'group', address: SALES, host, port, tls: 'none', username: SALES, password, process: 'Sales', teams: ['Sales'], create_cases: false, active: true, folders: [{ name: 'INBOX', after_filing: 'leave' }] });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  mailbox = made.body;
  example = examples(`mailbox-${mailbox.id}`);
  await eventually(async () => (await rows()).length > 0, true);
});
after(() => at?.stop());

test('C1: where there are no rules the page teaches by examples', async () => {
  await page.getByText('A rule asks something of each new message').waitFor();
  await accessible(page, 'no rules');
  await shot('rules-none');
});

test('C1: a condition that cannot be read is told at its place, and nothing is saved', async () => {
  await write(page, at.url, { place: `mailbox-${mailbox.id}`, name: 'Broken', conditions: [{ what: 'Subject', how: 'contains', value: 'e' }, { what: 'Text', how: 'matches the expression', value: '(unclosed' }], actions: [{ does: 'mark as read' }] });
  await button('Save, switched off').click();
  await page.getByText(/^Condition 2: the regular expression cannot be read at character 1/).waitFor();
  assert.equal(await page.getByLabel('Condition 2: value').getAttribute('aria-invalid'), 'true');
  await accessible(page, 'a wrong condition');
  assert.equal(await rule('Broken'), undefined);
  page.once('dialog', (d) => { assert.match(d.message(), /not saved/); void d.accept(); });
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.getByRole('heading', { level: 1, name: 'Rules and filters' }).waitFor();
});

test('C7: a new rule is tried on past mail before it is switched on, and nothing is done', async () => {
  const some = (await rows())[0];
  await write(page, at.url, { place: `mailbox-${mailbox.id}`, name: 'Tried', conditions: [{ what: 'Subject', how: 'is', value: some.subject }], actions: [{ does: 'label', label: 'Tried' }] });
  await page.getByRole('button', { name: 'Try on the last 200 messages' }).click();
  await page.getByText(/^\d+ messages? match(es)?, \d+ were looked at\.$/).waitFor();
  const row = page.getByRole('region', { name: 'Try it out' }).getByRole('row').nth(1);
  await row.getByText('label: Tried').waitFor();
  assert.equal(await row.getByRole('link').getAttribute('target'), '_blank');
  assert.equal((await row.locator('mark').first().innerText()).length > 0, true);
  await accessible(page, 'a dry run');
  await shot('rules-tried');
  assert.deepEqual((await rows()).flatMap((r) => r.labels), []);
  await page.getByLabel('Condition 1: value').fill('something else');
  await page.getByText('The rule was changed since. Try again.').waitFor();
  await button('Save, switched off').click();
  await page.getByRole('heading', { level: 1, name: 'Rules and filters' }).waitFor();
  assert.equal((await rule('Tried')).enabled, false);
  await page.getByRole('switch', { name: 'Switched on: Tried' }).check();
  await eventually(async () => (await rule('Tried')).enabled, true);
  await button('Undo Z').last().click();
  await eventually(async () => (await rule('Tried')).enabled, false);
});

test('C3: example 1: a support tag in the subject makes a case in the helpdesk and a label', async () => {
  await write(page, at.url, example.support.rule);
  await switchOn();
  await arrives(example.support.mail);
  const row = await thread(example.support.mail);
  assert.deepEqual(row.labels.map((l) => l.name), ['Support']);
  assert.equal(row.case.status, 'open');
  const made = (await call(page, 'GET', `/cases/${row.case.id}`)).body;
  assert.deepEqual([made.process?.name, made.team?.name], ['Helpdesk', 'Support'], JSON.stringify(made));
});

test('C7: the message says which rules were tried, which matched on what, and what it did', async () => {
  const row = await thread(example.support.mail);
  const trace = await traceOf(row.id);
  await trace.getByRole('link', { name: 'Support tag' }).waitFor();
  await trace.getByText(/^Subject contains “\[support\]”/).waitFor();
  await trace.getByText(new RegExp(`create a case.*${row.case.number}`)).waitFor();
  await trace.getByText(/^→ label: Support/).waitFor();
  await accessible(page, 'a trace');
  await shot('rules-trace');
  assert.equal((await rule('Support tag')).hits, 1);
});

test('C7: a rule that was changed or removed since is said to be', async () => {
  const row = await thread(example.support.mail);
  const { id, version } = await rule('Support tag');
  await call(page, 'PATCH', `/rules/${id}`, { version, name: 'Support tag, renamed' });
  await (await traceOf(row.id)).getByText('matched · changed since').waitFor();
  await call(page, 'PATCH', `/rules/${id}`, { version: version + 1, name: 'Support tag' });
});

test('C4: example 2: a web form makes a contact and a lead with the fields it was told', async () => {
  await arrives(example.form.mail.replace('Message from the web', 'Message from the web, before'));
  await thread(example.form.mail.replace('Message from the web', 'Message from the web, before'));
  await write(page, at.url, example.form.rule);
  await page.getByLabel('Try it on a message').first().selectOption({ index: 1 });
  await button('Show what it finds').first().click();
  await page.getByText('ivana@mala-workshop.example').waitFor();
  await accessible(page, 'a form tried out');
  await shot('rules-form');
  await switchOn();
  const again = mail({ from: 'Web form <form@www.acme.example>', subject: 'Message from the web', text: 'First name: Ivana\nLast name: Mala\nE-mail: ivana@mala-workshop.example\nCompany: Mala Workshop\nPhone: +420 601 234 567\nYour message: Please send me the price list.\n' });
  await arrives(again);
  await thread(again);
  const found = async (kind) => (await call(page, 'GET', `/records?kind=${kind}&q=Ivana`)).body.rows[0];
  await eventually(async () => !!(await found('contact')) && !!(await found('lead')), true);
  const contact = (await call(page, 'GET', `/records/${(await found('contact')).id}`)).body;
  assert.equal(contact.name, 'Ivana Mala');
  assert.deepEqual(contact.fields.map((f) => [f.label, f.value]), [['Phone', '+420 601 234 567'], ['Message', 'Please send me the price list.']]);
});

test('C3: example 3: an invoice is linked to the account of its sender’s domain and labelled', async () => {
  await call(page, 'POST', '/records', { kind: 'account', name: 'Steelworks', domains: ['steelworks.example'] });
  await write(page, at.url, example.invoices.rule);
  await switchOn();
  await arrives(example.invoices.mail);
  const row = await thread(example.invoices.mail);
  assert.deepEqual(row.labels.map((l) => l.name), ['Invoices']);
  assert.equal(row.unread, false);
  assert.ok(row.records.some((r) => r.name === 'Steelworks'), JSON.stringify(row.records));
});

test('C5: example 4: a newsletter is skipped by a filter of all mailboxes, another is moved by a rule', async () => {
  await write(page, at.url, example.newsletters.filter);
  await switchOn();
  await write(page, at.url, example.newsletters.rule);
  await switchOn();
  await arrives(example.newsletters.skipped);
  await arrives(example.newsletters.moved);
  const row = await thread(example.newsletters.moved);
  await eventually(async () => (await flagsOf(at.mailbox, SALES, 'Newsletters').catch(() => [])).length, 1, 'it was not moved');
  await eventually(async () => (await rule('Deals of the day')).hits, 1);
  assert.equal((await rows()).some((r) => r.subject === subject(example.newsletters.skipped)), false);
  await (await traceOf(row.id)).getByText('→ move to a folder: Newsletters').waitFor();
});

test('C5: what filters left out of a mailbox is listed with its filter, and filed after all', async () => {
  const left = subject(example.newsletters.skipped);
  await page.goto(`${at.url}/settings/mailboxes/${mailbox.id}`);
  const line = page.getByRole('region', { name: 'Left out by filters' }).getByRole('row').filter({ hasText: left });
  await line.getByText('Shop · INBOX').waitFor();
  assert.equal(await line.getByRole('link').getAttribute('href'), `/rules/${(await rule('Deals of the day')).id}`);
  await accessible(page, 'mailbox with what was left out');
  await shot('rules-filtered');
  await line.getByRole('button', { name: `File it after all: ${left}` }).click();
  await page.getByText('It is filed with the next round.').waitFor();
  const row = await thread(example.newsletters.skipped);
  await line.waitFor({ state: 'detached' });
  // It is an ordinary message now, on which the rules were tried and no filter was.
  const trace = await traceOf(row.id);
  assert.equal(await trace.getByText('Deals of the day').count(), 0);
  assert.equal((await call(page, 'GET', `/mailboxes/${mailbox.id}/filtered`)).body.total, 0);
  assert.equal((await rule('Deals of the day')).hits, 1);
});

test('C6: example 5: a big customer’s mail goes to one person with high priority, who is told', async () => {
  await write(page, at.url, example.vip.rule);
  await switchOn();
  await arrives(example.vip.mail);
  const row = await thread(example.vip.mail);
  assert.deepEqual([row.case.priority, row.case.assignee?.name], ['high', 'Emil Havel']);
  const emil = await at.open();
  await at.signIn(emil, '/notifications', 'emil@acme.example');
  await emil.getByText(subject(example.vip.mail)).first().waitFor();
  await emil.context().close();
});

test('C2: the order is changed by keyboard, from the menu and by dragging, and can be undone', async () => {
  const helpdesk = (await call(page, 'GET', '/mailboxes')).body.rows.find((m) => m.address === 'helpdesk@acme.example');
  const before = ['One', 'Two', 'Three', 'Four'], [first, second] = before, list = `Rules: ${helpdesk.address}`;
  for (const name of before) assert.equal((await call(page, 'POST', '/rules', { kind: 'rule', mailbox: helpdesk.id, name, enabled: false, conditions: [], actions: [{ do: 'mark_read' }] })).status, 201);
  await page.goto(`${at.url}/rules`);
  await page.getByRole('list', { name: list }).waitFor();
  const handle = (name) => page.getByRole('button', { name: new RegExp(`^Move: ${name}, `) });
  await handle(first).focus();
  await page.keyboard.press('ArrowDown');
  await page.getByText(`${first}: now 2 of ${before.length}`).waitFor({ state: 'attached' });
  assert.deepEqual((await order(list)).slice(0, 2), [second, first]);
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), `Move: ${first}, 2 of ${before.length}`);
  const stored = async () => (await call(page, 'GET', `/rules?mailbox=${helpdesk.id}&kind=rule`)).body.map((r) => r.name).join();
  await eventually(stored, [second, first, ...before.slice(2)].join());
  await button('Undo Z').last().click();
  await eventually(stored, before.join());
  await page.getByRole('button', { name: `More: ${first}` }).click();
  await page.getByRole('menuitem', { name: 'Move down' }).click();
  await eventually(stored, [second, first, ...before.slice(2)].join());
  const box = await handle(second).boundingBox(), last = await handle(before.at(-1)).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(last.x + last.width / 2, last.y + last.height, { steps: 8 });
  await page.mouse.up();
  await eventually(stored, [first, ...before.slice(2), second].join());
  await accessible(page, 'rules');
  await shot('rules-list');
});

test('C6: labels are put on a thread by key, made anew, renamed and removed with their count', async () => {
  const [row] = (await rows()).filter((r) => r.from_address);
  await page.goto(`${at.url}/inbox/all/${row.id}`);
  await page.getByRole('region', { name: 'Messages and notes' }).waitFor();
  await page.keyboard.press('l');
  await page.getByRole('combobox', { name: 'Label…' }).fill('Urgent');
  await page.getByText('Make the label Urgent').waitFor();
  await accessible(page, 'label picker');
  await page.keyboard.press('Enter');
  await page.locator('header .labels').getByText('Urgent').waitFor();
  await eventually(async () => (await rows()).find((r) => r.id === row.id).labels.map((l) => l.name).join(), 'Urgent');
  await page.goto(`${at.url}/settings/labels`);
  const line = page.getByRole('listitem').filter({ hasText: 'Urgent' });
  await line.getByText('on 1 conversation').waitFor();
  await page.getByRole('button', { name: 'Edit: Urgent' }).click();
  await page.getByLabel('Name of the label').fill('Hurry');
  await page.getByRole('radio', { name: 'Red' }).check();
  await button('Save').click();
  await accessible(page, 'labels');
  await shot('labels');
  page.once('dialog', (d) => { assert.match(d.message(), /taken off 1 conversation/); void d.accept(); });
  await page.getByRole('button', { name: 'Remove: Hurry' }).click();
  await eventually(async () => (await rows()).find((r) => r.id === row.id).labels.length, 0);
});

test('C3: a rule whose label was removed is off and says why, until it is mended', async () => {
  const label = (await call(page, 'POST', '/labels', { name: 'Doomed', hue: 'grey' })).body;
  const made = await call(page, 'POST', '/rules', { kind: 'rule', mailbox: mailbox.id, name: 'Labels the doomed', conditions: [{ field: 'subject', test: 'contains', value: 'doom' }], actions: [{ do: 'label', label: label.id }] });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  await page.goto(`${at.url}/settings/labels`);
  page.once('dialog', (d) => { assert.match(d.message(), /rules that put it are switched off/); void d.accept(); });
  await page.getByRole('button', { name: 'Remove: Doomed' }).click();
  await page.getByRole('button', { name: 'Remove: Doomed' }).waitFor({ state: 'detached' });
  await page.goto(`${at.url}/rules`);
  const line = page.getByRole('listitem').filter({ hasText: 'Labels the doomed' });
  await line.getByText('Switched off: the label Doomed was removed.').waitFor();
  assert.equal(await line.getByRole('switch').isChecked(), false);
  await accessible(page, 'a rule that lacks something');
  await shot('rules-missing');
  await line.getByRole('link', { name: 'Labels the doomed' }).click();
  await page.getByText('Switched off: the label Doomed was removed.').waitFor();
  await shot('rule-missing');
  await button('Save and switch on').click();
  await page.getByText('Action 1: this label is not there any more.').waitFor();
  await page.getByLabel('Action 1: what is done').selectOption({ label: 'mark as read' });
  await switchOn();
  await line.waitFor();
  assert.equal(await line.getByText('Switched off').count(), 0);
  await page.goto(`${at.url}/notifications`);
  const told = page.getByRole('link', { name: 'The rule Labels the doomed was switched off: Doomed is no longer there.' });
  assert.equal(await told.getAttribute('href'), `/rules/${made.body.id}`);
});

test('C6: the search finds by label and says that it can', async () => {
  await page.goto(`${at.url}/search`);
  await page.getByText('in a conversation with this label').waitFor();
  await page.getByLabel('What to search for').fill('label:support');
  await page.keyboard.press('Enter');
  await page.getByText(subject(example.support.mail)).waitFor();
  await page.getByLabel('What to search for').fill('-label:support drawer');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing found.').waitFor();
});

test('C1: a rule is begun from a message with its sender and subject', async () => {
  const [row] = (await rows()).filter((r) => r.from_address);
  await page.goto(`${at.url}/inbox/all/${row.id}`);
  await page.getByRole('region', { name: 'Messages and notes' }).waitFor();
  await page.getByRole('group', { name: 'Actions' }).getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Rule from this message…' }).click();
  assert.equal(await page.getByLabel('Condition 1: value').inputValue(), row.from_address);
  assert.equal(await page.getByLabel('Condition 2: value').inputValue(), row.subject);
});

test('C5: somebody without a mailbox to look after keeps filters of their own, which nobody else sees', async () => {
  const dana = await at.open();
  await at.signIn(dana, '/rules/new', 'dana@acme.example');
  await dana.getByLabel('For', { exact: true }).waitFor();
  assert.deepEqual(await dana.getByLabel('For', { exact: true }).locator('option').allInnerTexts(), ['My filters: whole inbox']);
  assert.deepEqual(await dana.getByLabel('Action 1: what is done').locator('option').allInnerTexts(), ['skip: do not import', 'move to a folder', 'try no further rules']);
  await dana.getByLabel('Name', { exact: true }).fill('Not for me');
  await dana.getByLabel('Condition 1: value').fill('nobody@nowhere.example');
  await dana.getByRole('button', { name: 'Save and switch on' }).click();
  await dana.getByRole('link', { name: 'Not for me' }).waitFor();
  assert.equal((await call(page, 'GET', '/rules')).body.some((r) => r.name === 'Not for me'), false);
  await dana.context().close();
});

test('C1: the pages hold on a phone, in the dark and in Czech', async () => {
  await call(page, 'PATCH', '/me', { language: 'cs', theme: 'dark' });
  const phone = await at.open({ viewport: { width: 390, height: 844 }, storageState: await page.context().storageState() });
  await phone.goto(`${at.url}/rules`);
  await phone.getByRole('heading', { level: 1, name: 'Pravidla a filtry' }).waitFor();
  await phone.getByRole('link', { name: 'Support tag' }).waitFor();
  await accessible(phone, 'rules on a phone');
  await shot('rules-phone', phone);
  const { id } = await rule('Web form');
  await phone.goto(`${at.url}/rules/${id}`);
  await phone.getByLabel('Podmínka 1: hodnota').waitFor();
  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth && document.querySelector('.page').scrollWidth <= innerWidth), true);
  await accessible(phone, 'a rule on a phone');
  await shot('rule-phone', phone);
  await call(page, 'PATCH', '/me', { language: 'en', theme: 'system' });
});

test('nothing was complained about in the browser but refusals that were meant', () => {
  assert.deepEqual(at.noise.filter((n) => !/status of (400|422)/.test(n)), []);
});
