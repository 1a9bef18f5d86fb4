/** What is recognised in mail, as people see it: invitations, folded quotes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible } from './host.mjs';
import { withMails } from './program.mjs';

const mail = (subject, kind, text) => ['From: Ann <ann@a.example>', 'To: ben@acme.example', 'Date: Mon, 2 Mar 2026 10:00:00 +0100', `Message-ID: <${subject.length}@a.example>`, `Subject: ${subject}`, 'MIME-Version: 1.0', `Content-Type: ${kind}`, '', text, ''].join('\r\n');
const CALENDAR = ['BEGIN:VCALENDAR', 'METHOD:REQUEST', 'BEGIN:VEVENT', 'UID:1@a.example', 'SUMMARY:Stand-up', 'DTSTART;TZID=America/New_York:20260302T140000', 'DTEND;TZID=America/New_York:20260302T143000',
  'LOCATION:Room 2\\, second floor', 'RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR', 'ORGANIZER;CN=Ann:mailto:ann@a.example', 'ATTENDEE;PARTSTAT=ACCEPTED;CN=Ben:mailto:ben@acme.example', 'END:VEVENT', 'END:VCALENDAR'].join('\r\n');
const INVITATION = mail('Come to the stand-up', 'multipart/alternative; boundary=b', `--b\r\nContent-Type: text/plain\r\n\r\nPlease come.\r\n--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\n${CALENDAR}\r\n--b--`);
const ANSWER = mail('Re: Monday', 'text/html; charset=utf-8', '<p>Yes, gladly.</p><div>On Sun, 1 Mar 2026, Ben &lt;ben@acme.example&gt; wrote:</div><blockquote>Shall we meet?</blockquote>');

let program, page, threads;
before(async () => {
  program = await withMails([INVITATION, ANSWER]);
  threads = await program.messages();
  page = await program.context.newPage();
});
after(() => program?.stop());
const open = (subject) => page.goto(`${program.url}/inbox/all/${threads.find((one) => one.name === subject).thread}`);

test('B10: an invitation is told above the text: what, when, where, how often, who', async () => {
  await open('Come to the stand-up');
  const card = page.getByRole('region', { name: 'Invitation' });
  await card.waitFor();
  const text = await card.innerText();
  for (const told of ['Stand-up', 'Monday, 2 March 2026', '14:00', '14:30 (America/New_York)', 'Room 2, second floor', 'every 2 weeks, Monday, Friday', 'Ben', 'comes']) assert.ok(text.includes(told), `${told}: ${text}`);
  await accessible(page, 'invitation');
});

test('B10: the same in Czech', async () => {
  const { csrf_token } = await (await program.context.request.get(`${program.url}/api/v1/session`)).json();
  await program.context.request.patch(`${program.url}/api/v1/me`, { data: { language: 'cs' }, headers: { 'X-CSRF-Token': csrf_token } });
  await page.reload();
  const card = page.getByRole('region', { name: 'Pozvánka' });
  await card.waitFor();
  assert.match(await card.innerText(), /každé 2 týdny, pondělí, pátek/);
  await program.context.request.patch(`${program.url}/api/v1/me`, { data: { language: 'en' }, headers: { 'X-CSRF-Token': csrf_token } });
});

test('B9: what an HTML mail quotes is folded, and a click shows it', async () => {
  await open('Re: Monday');
  const frame = page.frameLocator('article iframe');
  await frame.getByText('Yes, gladly.').waitFor();
  assert.equal(await frame.getByText('Shall we meet?').isVisible(), false);
  await frame.getByText('•••').click();
  await frame.getByText('Shall we meet?').waitFor({ state: 'visible' });
});
