/** Why a conversation belongs where it does: suggestions, messages of strangers, bounces, and whose word about senders is believed. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { accessible, call, eventually, start } from './host.mjs';
import { deliver } from './imap.mjs';

const SHOTS = process.env.LETTERCASE_E2E_PICTURES;
const GROUP = 'helpdesk@acme.example';
let at, page;
const shot = async (name, of = page) => { if (SHOTS) { mkdirSync(SHOTS, { recursive: true }); await of.screenshot({ path: `${SHOTS}/${name}.png` }); } };
const flow = () => page.getByRole('region', { name: 'Messages and notes' });
const records = () => page.getByRole('complementary').filter({ has: page.getByRole('button', { name: /Link a record/ }) });
const arrives = (mail) => deliver(at.mailbox, GROUP, 'INBOX', mail);
const make = async (kind, name, more = {}) => (await call(page, 'POST', '/records', { kind, name, ...more })).body;
/** The thread with this subject, as soon as it has so many messages. */
async function filed(subject, messages = 1) {
  let row;
  await call(page, 'POST', `/mailboxes/${await mailbox()}/scan`);
  await eventually(async () => {
    row = (await call(page, 'GET', '/threads?limit=50')).body.rows.find((r) => r.subject === subject);
    return (row?.messages ?? 0) >= messages;
  }, true, `${subject} is filed`);
  return row.id;
}
const mailbox = async () => (await call(page, 'GET', '/mailboxes')).body.rows.find((m) => m.address === GROUP).id;
const mail = (from, subject, id, more = '', text = 'Hello.') => `From: ${from}\nTo: ${GROUP}\nSubject: ${subject}\nMessage-ID: <${id}>\n${more}Date: ${new Date().toUTCString()}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n${text}\n`;
const answers = (id) => `In-Reply-To: <${id}>\nReferences: <${id}>\n`;

before(async () => {
  at = await start();
  page = await at.open();
  await at.signIn(page);
});
after(() => at?.stop());

test('B3: of a contact in several accounts it is asked which, and the answer is a link', async () => {
  const [one, two] = [await make('account', 'Větrný Mlýn'), await make('account', 'Vodní Kolo')];
  await make('contact', 'Hana Malá', { addresses: ['hana@mala.example'], account_id: one.id, further_account_ids: [two.id] });
  await arrives(mail('Hana <hana@mala.example>', 'Two accounts', 'q1@mala.example'));
  await page.goto(`${at.url}/inbox/all/${await filed('Two accounts')}`);
  const asked = records().getByRole('region', { name: 'Hana Malá: which account is it?' });
  await asked.getByText('Account of the contact: Hana Malá · 40% sure').first().waitFor();
  await accessible(page, 'suggestions');
  await shot('links-which');
  await asked.getByRole('button', { name: 'Link: Vodní Kolo' }).click();
  await records().getByRole('heading', { name: 'Vodní Kolo' }).waitFor();
  await records().getByRole('button', { name: 'Does not belong here: Větrný Mlýn' }).click();
  await page.getByRole('button', { name: 'Does not belong here: Větrný Mlýn' }).waitFor({ state: 'detached' });
});

test('B8: a stranger in a conversation is shown, marked, and trusted or moved out by a person', async () => {
  const thread = await filed('Two accounts');
  await make('contact', 'Eve Black', { addresses: ['eve@evil.example'] });
  for (const n of [1, 2]) {
    await arrives(mail('Eve <eve@evil.example>', 'Re: Two accounts', `e${n}@evil.example`, answers('q1@mala.example'), `Send it to me, ${n}.`));
    await filed('Two accounts', n + 1);
  }
  await page.goto(`${at.url}/inbox/all/${thread}`);
  const doubt = () => flow().getByRole('group', { name: 'Place not certain' });
  await doubt().getByText('The sender has taken no part in this conversation before.').last().waitFor();
  await accessible(page, 'unverified message');
  await shot('links-stranger');
  await doubt().last().getByRole('button', { name: 'Move out of the conversation' }).click();
  await eventually(async () => (await call(page, 'GET', `/threads/${thread}`)).body.entries.filter((e) => e.kind === 'message').length, 2);
  await doubt().first().getByRole('button', { name: "It's right" }).click();
  await doubt().waitFor({ state: 'detached' });
  await flow().getByText(/Sender confirmed: eve@evil.example/).waitFor();
  // What was held back is done: she was only suggested before.
  await records().getByRole('heading', { name: 'Eve Black' }).waitFor();
});

test('B2: a message says why it is where it is', async () => {
  await page.goto(`${at.url}/inbox/all/${await filed('Two accounts')}`);
  await flow().getByRole('button', { name: 'Why is it here?' }).last().click();
  await page.getByText('Reply: it belongs to this conversation by its references').waitFor();
  await page.getByText('Linked: Sender address: eve@evil.example').waitFor();
  await shot('links-why');
  await page.keyboard.press('Escape');
  await flow().getByRole('button', { name: /^Unfold the message: / }).first().click();
  await flow().getByRole('button', { name: 'Why is it here?' }).first().click();
  await page.getByText('Linked: Sender address: hana@mala.example').waitFor();
  await page.getByText('The contact belongs to several accounts, so you are asked: Hana Malá').waitFor();
  await page.keyboard.press('Escape');
});

test('B9: what could not be delivered says so at the message itself', async () => {
  await arrives(mail('Ota <ota@ota.example>', 'Invoice missing', 'i1@ota.example'));
  await filed('Invoice missing');
  await arrives(mail(GROUP, 'Re: Invoice missing', 'i2@acme.example', answers('i1@ota.example'), 'Here it is.'));
  await filed('Invoice missing', 2);
  const report = 'Your mail was not delivered.\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.ota.example\n\nFinal-Recipient: rfc822; ota@ota.example\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 mailbox full\n\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <i2@acme.example>\nSubject: Re: Invoice missing\n\nx\n--b--';
  await arrives(`Return-Path: <>\nFrom: MAILER-DAEMON@mx.ota.example\nTo: ${GROUP}\nSubject: Undelivered\nMessage-ID: <i3@mx.ota.example>\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\n${report}\n`);
  await page.goto(`${at.url}/inbox/all/${await filed('Invoice missing', 3)}`);
  await flow().getByRole('button', { name: /^Unfold the message: / }).last().click();
  await flow().getByText('Could not be delivered to ota@ota.example').waitFor();
  await flow().getByText(/mailbox full/).first().waitFor();
  await accessible(page, 'bounce');
  await shot('links-bounce');
});

test('B8: whose word about senders is believed is a setting of the mailbox', async () => {
  await arrives(`Authentication-Results: mx.acme.example; dmarc=pass header.from=ivo.example\n${mail('Ivo <ivo@ivo.example>', 'Checked sender', 's1@ivo.example')}`);
  await filed('Checked sender');
  await page.goto(`${at.url}/settings/mailboxes/${await mailbox()}`);
  const part = page.getByRole('region', { name: 'Trust in senders' });
  await part.getByText("Nobody's word about senders is believed.").waitFor();
  await part.getByRole('button', { name: /Edit/ }).click();
  await part.getByLabel(/Authentication-Results/).fill('two words');
  await part.getByRole('button', { name: 'Save' }).click();
  await part.getByText('One word, as the server writes it').first().waitFor();
  await part.getByLabel(/Authentication-Results/).fill('MX.acme.example');
  await part.getByRole('button', { name: 'Save' }).click();
  await part.getByText('Believed: mx.acme.example').waitFor();
  await accessible(page, 'trust in senders');
});

test('looks right in the dark, on a phone, and in Czech', async () => {
  const thread = await filed('Two accounts');
  await arrives(mail('Eve <eve@elsewhere.example>', 'Re: Two accounts', 'e9@elsewhere.example', answers('q1@mala.example'), 'And to me.'));
  await filed('Two accounts', 3);
  const other = await at.open({ viewport: { width: 390, height: 800 }, colorScheme: 'dark' });
  await at.signIn(other, `/inbox/all/${thread}`);
  await call(other, 'PATCH', '/me', { language: 'cs' });
  await other.reload();
  await other.getByText('Odesílatel se této konverzace dosud neúčastnil.', { exact: false }).waitFor();
  assert.equal(await other.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await shot('links-phone-dark-cs', other);
  await call(other, 'PATCH', '/me', { language: 'en' });
  await other.context().close();
  // The browser itself says that a request was refused, which one above was meant to be.
  assert.deepEqual(at.noise.filter((line) => !/status of 422/.test(line)), []);
});
