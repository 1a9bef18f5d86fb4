/** Answers in a browser: templates, automatic replies, a person's reply with its delivery, the outbox, webhooks. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { accessible, call, eventually, start } from './host.mjs';
import { deliver } from './imap.mjs';

const SHOTS = process.env.LETTERCASE_E2E_PICTURES;
const SALES = 'sales@acme.example';
let at, page, mailbox;
const shot = async (name, of = page) => { if (SHOTS) { mkdirSync(SHOTS, { recursive: true }); await of.screenshot({ path: `${SHOTS}/${name}.png` }); } };
const button = (name, of = page) => of.getByRole('button', { name, exact: true });
const letter = (from, subject, text) => [`Return-Path: <${from}>`, `From: Ann Example <${from}>`, `To: ${SALES}`, `Subject: ${subject}`, `Message-ID: <${subject.replaceAll(' ', '-')}@firma.example>`, `Date: ${new Date().toUTCString()}`, 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', '', text, ''].join('\n');
const rows = async () => (await call(page, 'GET', `/threads?view=all&mailbox=${mailbox.id}&limit=100`)).body.rows;
async function thread(subject) {
  const find = async () => (await rows()).find((r) => r.subject === subject);
  await eventually(async () => !!(await find()), true, `${subject} was not filed`);
  return find();
}

before(async () => {
  at = await start();
  page = await at.open();
  await at.signIn(page, '/settings/templates');
  const { host, port, password, smtp_port } = at.mailbox;
  const made = await call(page, 'POST', '/mailboxes', { kind: 'group', address: SALES, name: 'Sales', host, port, tls: 'none', username: SALES, password, process: 'Sales', teams: ['Sales'], create_cases: true, active: true, folders: [{ name: 'INBOX', after_filing: 'leave' }], outgoing: { host: '127.0.0.1', port: smtp_port, tls: 'none', username: SALES, password }, shared: true });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  mailbox = made.body;
  await eventually(async () => (await rows()).length > 0, true);
  await page.reload();
});
after(() => at?.stop());

test('D3: a template is written in two languages, refuses unknown variables, and is shown with real values', async () => {
  await page.getByText('No templates yet.').waitFor();
  await button('New template').click();
  await page.getByLabel('Name', { exact: true }).fill('Received');
  await page.getByLabel('Text', { exact: true }).fill('Dobrý den, váš případ má číslo {{case.nummer}}.');
  await button('Save').click();
  await page.getByText('“case.nummer” is no variable.', { exact: true }).waitFor();
  await page.getByLabel('Text', { exact: true }).fill('Dobrý den, váš případ má číslo {{case.number}}.');
  await button('Add a language').click();
  await page.getByLabel('Language', { exact: true }).nth(1).fill('en');
  await page.getByLabel('Text', { exact: true }).nth(1).fill('Hello {{customer.name|there}}, your case is {{case.number}}.');
  await button('Save').click();
  await page.getByRole('region', { name: 'Preview' }).getByText('Dobrý den').waitFor();
  await page.getByRole('region', { name: 'Preview' }).getByText('Hello ').waitFor();
  await accessible(page, 'templates');
  await shot('templates');
  await page.getByLabel(`Answers with: ${SALES}`).selectOption({ label: 'Received' });
  await page.getByText('So it is from now on.').waitFor();
  const { templates } = (await call(page, 'GET', '/templates')).body;
  assert.deepEqual([templates[0].texts.map((x) => x.language), templates[0].mailboxes.map((x) => x.address)], [['cs', 'en'], [SALES]]);
});

test('D3: the first mail is answered by itself, and the thread shows that it was sent', async () => {
  await deliver(at.mailbox, SALES, 'INBOX', letter('ann@firma.example', 'Broken printer', 'Hello, could you please help me? Thanks, Ann'));
  const { id } = await thread('Broken printer');
  await page.goto(`${at.url}/inbox/all/${id}`);
  const answer = page.getByRole('article', { name: 'Message: Sales' });
  await answer.frameLocator('iframe').getByText('Hello Ann Example, your case is').waitFor();
  await page.getByText('Sent', { exact: true }).waitFor();
});

test('D4: somebody answers with a template, the group gets the answers, and the case waits', async () => {
  await page.locator('[aria-keyshortcuts="R"]').waitFor();
  await page.keyboard.press('r');
  const composer = page.getByRole('region', { name: 'Reply by mail' });
  await composer.getByText(`Answers come to ${SALES}.`).waitFor();
  assert.equal(await composer.getByLabel('To', { exact: true }).inputValue(), 'Ann Example <ann@firma.example>');
  assert.equal(await composer.getByLabel('Subject').inputValue(), 'Re: Broken printer');
  await composer.getByLabel('Insert a template').selectOption({ label: 'Received' });
  // In the writer's language.
  await eventually(async () => (await composer.getByLabel('Your answer').inputValue()).startsWith('Hello Ann Example, your case is'), true);
  await composer.getByLabel('Your answer').fill('Switch it on, please.');
  // Unsent text is kept.
  await page.reload();
  await page.locator('[aria-keyshortcuts="R"]').waitFor();
  await page.keyboard.press('r');
  await eventually(async () => composer.getByLabel('Your answer').inputValue(), 'Switch it on, please.');
  await accessible(page, 'reply composer');
  await shot('reply');
  // What is wrong with an address is said at its field, and nothing typed is lost.
  await composer.getByLabel('To', { exact: true }).fill('nobody');
  await composer.getByLabel('Your answer').press('Control+Enter');
  await composer.getByText('A mail address such as').waitFor();
  await composer.getByLabel('To', { exact: true }).fill('Ann Example <ann@firma.example>');
  await composer.getByLabel('Your answer').press('Control+Enter');
  await page.getByText('The answer is on its way.').waitFor();
  await composer.waitFor({ state: 'detached' });
  await page.getByText('Switch it on, please.').first().waitFor();
  const row = await thread('Broken printer');
  assert.equal(row.case.status, 'waiting');
  await eventually(async () => {
    const { messages } = (await call(page, 'GET', `/threads/${row.id}/deliveries`)).body;
    return messages.length === 2 && messages.every((m) => m.recipients.every((r) => r.state === 'sent'));
  }, true, 'both were sent');
  const { answered } = (await call(page, 'GET', `/threads/${row.id}/deliveries`)).body;
  assert.ok(answered.by && answered.is_last);
  await shot('reply-sent');
});

test('F3: the outbox says what was sent and what was refused, and tries again', async () => {
  const { id } = await thread('Broken printer');
  const gone = { body: 'Are you there?', to: [{ address: 'gone@firma.example' }] };
  assert.equal((await call(page, 'POST', `/threads/${id}/reply`, gone)).status, 201);
  await page.goto(`${at.url}/settings/outbox`);
  const refused = page.getByRole('row').filter({ hasText: 'gone@firma.example' });
  await refused.getByText('Not sent: 550 5.1.1 no such user').waitFor();
  await page.getByRole('row').filter({ hasText: 'ann@firma.example' }).first().getByText('Sent', { exact: true }).waitFor();
  await accessible(page, 'outbox');
  await shot('outbox');
  const recipient = async () => (await call(page, 'GET', '/outbox')).body.rows[0].recipients[0];
  const attempts = (await recipient()).attempts;
  await refused.getByRole('button', { name: 'Send again: gone@firma.example' }).click();
  await page.getByText('It is sent again.').waitFor();
  await eventually(async () => { const { state, attempts } = await recipient(); return `${state} ${attempts}`; }, `failed ${attempts}`, 'tried anew, refused anew');
});

test('C6: a webhook is made, its secret shown once, tested, switched off and removed, and its deliveries say what became of them', async () => {
  const heard = [];
  const receiver = createServer((request, answer) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => { heard.push({ body, signature: request.headers['x-lettercase-signature'] }); answer.writeHead(heard.length === 1 ? 410 : 204).end(); });
  });
  await new Promise((done) => receiver.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${receiver.address().port}/mail`;
  assert.equal((await call(page, 'PUT', '/settings/allowed-hosts', { hosts: ['127.0.0.1'] })).status, 200);
  await page.goto(`${at.url}/settings/webhooks`);
  await page.getByText('No webhooks yet.').waitFor();
  await button('New webhook').click();
  await page.getByLabel('Address', { exact: true }).fill('http://crm.acme.example/mail');
  await button('Create').click();
  await page.getByText('An address that begins with https://.').waitFor();
  await page.getByLabel('Address', { exact: true }).fill(url);
  await button('Create').click();
  const secret = await page.getByRole('status').locator('code').innerText();
  assert.match(secret, /^whsec_/);
  await accessible(page, 'webhooks');
  await shot('webhooks-secret');
  // Whoever receives it says that nobody is there, then takes it.
  await button(`Send a test: ${url}`).click();
  const table = page.getByRole('table', { name: 'Last deliveries' });
  await table.getByText('Given up: it answered 410').waitFor();
  await table.getByRole('button', { name: `Send again: ${url}` }).click();
  await table.getByText('Delivered').waitFor();
  const [seconds, hex] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(heard[1].signature).slice(1);
  assert.equal(createHmac('sha256', secret).update(`${seconds}.${heard[1].body}`).digest('hex'), hex);
  assert.equal(JSON.parse(heard[1].body).event, 'test');
  await button(`Switch off: ${url}`).click();
  await page.getByText('Switched off', { exact: true }).waitFor();
  assert.equal(await button(`Send a test: ${url}`).isDisabled(), true);
  await accessible(page, 'webhooks switched off');
  await shot('webhooks');
  await button(`Switch on: ${url}`).click();
  await page.getByText('Switched off', { exact: true }).waitFor({ state: 'detached' });
  // The secret is not told again, and a rule's webhook names its rule.
  await page.reload();
  await page.getByText('No rule reports to it.').waitFor();
  assert.equal(await page.getByText(secret).count(), 0);
  page.once('dialog', (dialog) => dialog.accept());
  await button(`Remove: ${url}`).click();
  await page.getByText('No webhooks yet.').waitFor();
  await new Promise((done) => receiver.close(done));
});

test('F3: phone, dark and Czech', async () => {
  const phone = await at.open({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  await at.signIn(phone);
  assert.equal((await call(phone, 'PATCH', '/me', { language: 'cs' })).status, 200);
  for (const [path, heading] of [['templates', 'Šablony'], ['outbox', 'Odesílané'], ['webhooks', 'Webhooky']]) {
    await phone.goto(`${at.url}/settings/${path}`);
    await phone.getByRole('heading', { name: heading, exact: true }).first().waitFor();
    assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, path);
    await shot(`${path}-phone`, phone);
  }
  const { id } = await thread('Broken printer');
  await phone.goto(`${at.url}/inbox/all/${id}`);
  await phone.getByRole('button', { name: 'Odpovědět' }).click();
  const composer = phone.getByRole('region', { name: 'Odpověď mailem' });
  await composer.getByLabel('Předmět').waitFor();
  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, 'composer');
  await accessible(phone, 'composer, dark');
  await shot('reply-phone', phone);
  await phone.context().close();
});

test('nothing was complained about', () => assert.deepEqual(at.noise.filter((n) => !/422|409/.test(n)), []));
