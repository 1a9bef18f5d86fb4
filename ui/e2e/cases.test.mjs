/** Cases in the browser: put aside, joined, parted, shared among a team. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { accessible, call, eventually, start } from './host.mjs';

let host, page;
before(async () => {
  host = await start();
  page = await host.open();
  await host.signIn(page, '/inbox/open');
});
after(async () => {
  await host.stop();
  assert.deepEqual(host.noise, []);
});

const open = async (view = 'open') => (await call(page, 'GET', `/threads?view=${view}&limit=50`)).body;
const actions = () => page.getByRole('group', { name: 'Actions' });
async function show(thread) {
  await page.goto(`${host.url}/inbox/all/${thread}`);
  await actions().getByRole('button', { name: 'Close', exact: true }).waitFor();
}

test('D5: B puts a case out of sight until later; it stands among the snoozed, and Undo brings it back', async () => {
  const [row] = (await open()).rows;
  await show(row.id);
  await page.keyboard.press('b');
  await page.getByRole('menuitem', { name: 'Next week' }).click();
  await eventually(async () => (await open('snoozed')).total, 1, 'snoozed');
  assert.ok(!(await open()).rows.some((r) => r.id === row.id), 'out of the open ones');
  await page.goto(`${host.url}/inbox/snoozed`);
  await page.getByText('1 conversation', { exact: true }).waitFor();
  await accessible(page, 'snoozed');
  await show(row.id);
  await actions().getByRole('button', { name: 'Snoozed until' }).click();
  await page.getByRole('menuitem', { name: 'Show again now' }).click();
  await eventually(async () => (await open('snoozed')).total, 0, 'awake');
});

test('D5: a case is put out of sight until a date and time that somebody enters', async () => {
  const [row] = (await open()).rows;
  await show(row.id);
  await actions().getByRole('button', { name: 'Snooze' }).click();
  await page.getByRole('menuitem', { name: 'Date and time…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Snooze until' });
  await dialog.getByLabel('Snooze until').fill('2031-05-04T09:30');
  await accessible(page, 'snooze dialog');
  await dialog.getByRole('button', { name: 'Snooze' }).click();
  await eventually(async () => (await open('snoozed')).rows[0]?.snoozed_until?.slice(0, 10), '2031-05-04', 'the date');
  await call(page, 'PATCH', `/cases/${row.case.id}`, { snoozed_until: null });
});

test('D5: a case is merged into another; its address leads there', async () => {
  const [one, other] = (await open()).rows;
  await page.goto(`${host.url}/cases/${one.case.id}`);
  await actions().getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Merge into another case…' }).click();
  // What was listed before goes away with the answer.
  const found = page.waitForResponse((answer) => answer.url().includes(`q=%23${other.case.number}`));
  await page.getByRole('dialog').getByRole('combobox').fill(`#${other.case.number}`);
  await found;
  const sure = page.waitForEvent('dialog').then(async (dialog) => { const text = dialog.message(); await dialog.accept(); return text; });
  await page.getByRole('option', { name: other.subject }).first().click();
  assert.match(await sure, new RegExp(`^Merge #${one.case.number} into #${other.case.number} `));
  await page.waitForURL(`**/cases/${other.case.id}`);
  assert.equal((await call(page, 'GET', `/cases/${other.case.id}`)).body.threads.length, 2);
  await page.goto(`${host.url}/cases/${one.case.id}`);
  await page.waitForURL(`**/cases/${other.case.id}`);
  await page.getByRole('heading', { level: 1, name: `#${other.case.number}` }).waitFor();
  await accessible(page, 'case page');
});

test('D5: chosen messages become a case of their own', async () => {
  const row = (await open()).rows.find((r) => r.messages > 1);
  await show(row.id);
  await actions().getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Split off messages…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Split off messages' });
  await dialog.getByRole('checkbox').last().check();
  await accessible(page, 'split dialog');
  await dialog.getByRole('button', { name: 'Make a case of them' }).click();
  await page.waitForURL(/\/cases\/\d+$/);
  const id = Number(page.url().split('/').pop());
  assert.notEqual(id, row.case.id);
  assert.equal((await call(page, 'GET', `/cases/${id}`)).body.threads[0].messages, 1);
  assert.equal((await call(page, 'GET', `/threads/${row.id}`)).body.row.messages, row.messages - 1);
});

test('D2: a mailbox shares its cases among its team, with a target', async () => {
  const boxes = (await call(page, 'GET', '/mailboxes')).body.rows;
  const box = boxes.find((m) => m.kind === 'group' && m.teams.some((team) => team.name === 'Support'));
  await page.goto(`${host.url}/settings/mailboxes/${box.id}`);
  const part = page.getByRole('region', { name: 'Who gets cases' });
  await part.getByRole('button', { name: 'Edit: Who gets cases' }).click();
  await part.getByLabel('New cases').selectOption('round_robin');
  await part.getByLabel('Answer within (minutes)').fill('240');
  await accessible(page, 'sharing');
  await part.getByRole('button', { name: 'Save' }).click();
  await part.getByText('The team in turn · answer within 240 min').waitFor();
  const { body } = await call(page, 'GET', `/mailboxes/${box.id}/distribution`);
  assert.deepEqual([body.distribution, body.reply_within_min, body.reopen_within_days], ['round_robin', 240, 30]);
});

test('B6: a case is handed to a team that shares its cases, and whose turn it is has it', async () => {
  const [row] = (await open()).rows;
  await show(row.id);
  await page.keyboard.press('w');
  const menu = page.getByRole('menu', { name: /^Assign/ });
  await accessible(page, 'to whom');
  await menu.getByRole('menuitem', { name: 'Support' }).click();
  const holder = async () => (await call(page, 'GET', `/cases/${row.case.id}`)).body.assignee?.name;
  await page.getByText(new RegExp(`^#${row.case.number}: assigned: (Dana|Hana|Igor) `)).waitFor();
  const first = await holder();
  await page.getByText(`Assigned: ${first} (in turn)`).waitFor();
  // Handed to it again, somebody else has it.
  await page.keyboard.press('w');
  await menu.getByRole('menuitem', { name: 'Support' }).click();
  await eventually(async () => (await holder()) !== first, true, 'the next in turn');
});

test('B6: W hands a conversation without a case to somebody, W W takes it', async () => {
  const row = (await open('all')).rows.find((r) => !r.case);
  await page.goto(`${host.url}/inbox/all/${row.id}`);
  const charge = page.getByRole('group', { name: 'In charge' });
  await charge.getByRole('button', { name: /^Hand over/ }).waitFor();
  await page.keyboard.press('w');
  await page.getByRole('menuitem', { name: 'Emil Havel' }).click();
  await charge.getByText('With Emil Havel').waitFor();
  await page.keyboard.press('w');
  await page.getByRole('menuitem', { name: 'To me' }).waitFor();
  await page.keyboard.press('w');
  await charge.getByText('With Ann Horáková').waitFor();
  // To a team that does not share: it is nobody's yet.
  await page.keyboard.press('w');
  await page.getByRole('menuitem', { name: 'Press office' }).click();
  await charge.getByText('Nobody yet: Press office').waitFor();
  await accessible(page, 'in a team’s hands');
});

test('D2: members find their team in the navigation, who is in none does not', async () => {
  const nav = (of) => of.getByRole('navigation', { name: 'Main' });
  const dana = await host.open();
  await host.signIn(dana, '/', 'dana@acme.example');
  await nav(dana).getByRole('link', { name: 'Team' }).click();
  await dana.getByRole('heading', { level: 1, name: 'Support' }).waitFor();
  await dana.getByRole('rowheader', { name: 'Igor Kováč' }).waitFor();
  await accessible(dana, 'team, a member');
  const ben = await host.open();
  await host.signIn(ben, '/', 'ben@acme.example');
  await nav(ben).getByRole('link', { name: 'Search' }).waitFor();
  assert.equal(await nav(ben).getByRole('link', { name: 'Team' }).count(), 0);
});

test('D2: the team page shows who has how much, takes absence and capacity, and hands over', async () => {
  const [row] = (await open()).rows;
  const { id } = (await call(page, 'GET', '/teams')).body.find((one) => one.name === 'Support');
  const team = (await call(page, 'GET', `/teams/${id}`)).body;
  const [member] = team.members;
  await call(page, 'PATCH', `/cases/${row.case.id}`, { team_id: team.id, assignee_id: member.user.id });
  await page.goto(`${host.url}/team/${team.id}`);
  const line = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: member.user.name }) });
  await line.getByRole('button', { name: `Edit: ${member.user.name}` }).click();
  const form = page.getByRole('form', { name: `Availability: ${member.user.name}` });
  await form.getByRole('checkbox', { name: 'Away' }).check();
  await form.getByLabel('Open cases at most').fill('5');
  await accessible(page, 'availability');
  await form.getByRole('button', { name: 'Save' }).click();
  await line.getByRole('cell', { name: 'Away', exact: true }).waitFor();
  await line.getByRole('button', { name: /Hand over the cases/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Hand over the cases' }).click();
  await eventually(async () => (await call(page, 'GET', `/teams/${team.id}`)).body.members.find((m) => m.user.id === member.user.id).open, 0, 'handed over');
  const after = (await call(page, 'GET', `/users/${member.user.id}/availability`)).body;
  assert.deepEqual([after.away, after.capacity], [true, 5]);
});

test('D2: somebody says in their settings that they are away and who stands in', async () => {
  await page.goto(`${host.url}/me`);
  await page.getByRole('checkbox', { name: 'I am away' }).check();
  await page.getByLabel('Deputy').selectOption({ index: 1 });
  await accessible(page, 'me');
  await page.getByRole('form', { name: /^Availability/ }).getByRole('button', { name: 'Save' }).click();
  const me = (await call(page, 'GET', '/session')).body.user;
  await eventually(async () => (await call(page, 'GET', `/users/${me.id}/availability`)).body.away, true, 'away');
  await call(page, 'PATCH', `/users/${me.id}/availability`, { away_from: null, deputy_id: null });
});

test('D5: the pages of a case and a team stand on a phone and in the dark', async () => {
  const [row] = (await open()).rows;
  const phone = await host.open({ viewport: { width: 390, height: 800 }, colorScheme: 'dark', hasTouch: true });
  await host.signIn(phone, `/cases/${row.case.id}`);
  await phone.getByLabel('Team').waitFor();
  await accessible(phone, 'case page, dark, on a phone');
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out');
  await phone.getByRole('link', { name: 'Team', exact: true }).click();
  await phone.waitForURL('**/team');
  await phone.getByRole('main').getByRole('combobox', { name: 'Team' }).selectOption({ label: 'Support' });
  await phone.getByRole('rowheader', { name: /Hana Dvořáková/ }).waitFor();
  await accessible(phone, 'team page, dark, on a phone');
  assert.ok(await phone.evaluate(() => [...document.querySelectorAll('main, .scroll-x')].every((one) => one.scrollWidth <= one.clientWidth)), 'nothing has to be moved aside');
});
