/** Being told, naming people, handing over, streams, in a browser. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { accessible, call, eventually, start } from './host.mjs';

const SHOTS = process.env.LETTERCASE_E2E_PICTURES;
let at, page, dana, thread;
const shot = async (name, of = page) => { if (SHOTS) { mkdirSync(SHOTS, { recursive: true }); await of.screenshot({ path: `${SHOTS}/telling-${name}.png` }); } };
const id = async (login) => (await call(page, 'GET', '/users')).body.find((u) => u.login === login).id;
const charge = async () => (await call(page, 'GET', `/threads/${thread}`)).body.charge;

before(async () => {
  at = await start();
  page = await at.open();
  await at.signIn(page);
  // A thread without a case that Dana's team does not receive.
  const { rows } = (await call(page, 'GET', '/threads?view=all&limit=200')).body;
  const seen = await at.open();
  await at.signIn(seen, '/', 'dana@acme.example');
  const hers = new Set((await call(seen, 'GET', '/threads?view=all&limit=200')).body.rows.map((r) => r.id));
  thread = rows.find((r) => !r.case && !hers.has(r.id)).id;
  dana = seen;
});
after(() => at?.stop());

test('B6: a thread is handed to somebody, who is told, reaches it and answers for it', async () => {
  assert.equal((await call(dana, 'GET', `/threads/${thread}`)).status, 404);
  await page.goto(`${at.url}/inbox/all/${thread}`);
  const charges = page.getByRole('group', { name: 'In charge' });
  await charges.getByRole('button', { name: /^Hand over/ }).click();
  await page.getByRole('menuitem', { name: 'Dana Marková' }).click();
  await charges.getByText('With Dana Marková').waitFor();
  await page.getByText('Handed over: Dana Marková').waitFor();
  await accessible(page, 'a thread in charge');
  await shot('handed');
  await dana.getByRole('link', { name: /^Notifications/ }).click();
  await dana.getByRole('link', { name: /^Handed to you/ }).first().click();
  await dana.waitForURL(new RegExp(`/inbox/all/${thread}$`));
  const handed = async () => (await call(dana, 'GET', '/notifications')).body.rows.find((n) => n.thread_id === thread).read;
  await eventually(handed, true, 'who reads the thread has read what was told of it');
  await dana.goto(`${at.url}/inbox/mine`);
  await dana.getByRole('grid').getByRole('row').first().waitFor();
});

test('B6: a thread is filed to an area of work, which is a list of its own', async () => {
  const charges = page.getByRole('group', { name: 'In charge' });
  await charges.getByRole('button', { name: /^Process/ }).click();
  const first = page.getByRole('menuitem').first();
  const name = (await first.innerText()).trim();
  await first.click();
  await eventually(async () => (await charge()).process?.name, name);
  await page.goto(`${at.url}/inbox/open`);
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: new RegExp(`^${name}`) }).click();
  await page.waitForURL(/process=\d+/);
  await page.getByRole('grid').getByRole('row').first().waitFor();
});

test('B5: a colleague is named in a note by keyboard, without marks over letters, and who may not see it is said', async () => {
  await page.goto(`${at.url}/inbox/all/${thread}`);
  await page.getByRole('button', { name: /^Add note/ }).click();
  const box = page.getByRole('textbox', { name: 'Internal note' });
  await box.pressSequentially('Please look, @mark');
  await page.getByRole('option', { name: 'Dana Marková' }).waitFor();
  await box.press('Enter');
  await box.pressSequentially('and @gita');
  await page.getByRole('option', { name: 'Gita Sýkorová' }).waitFor();
  await shot('mention');
  await accessible(page, 'naming somebody');
  await box.press('Enter');
  await box.press('Control+Enter');
  await page.getByText('May not see this and is not told: Gita Sýkorová').waitFor();
  await page.getByRole('article', { name: /^Internal note/ }).getByText('@Dana Marková').waitFor();
  const dana_told = (await call(dana, 'GET', '/notifications')).body.rows.filter((r) => r.kind === 'mentioned');
  assert.equal(dana_told.length, 1);
  await dana.goto(`${at.url}/notifications`);
  await dana.getByText(/^You are named in a note – Ann Horáková/).waitFor();
  await accessible(dana, 'notifications');
  await shot('notifications', dana);
});

test('B7: who hands a thread back no longer reaches it, and nothing of it is left among what they were told', async () => {
  assert.equal((await call(page, 'POST', `/threads/${thread}/hand`, {})).status, 204);
  assert.equal((await call(dana, 'GET', `/threads/${thread}`)).status, 404);
  const { rows } = (await call(dana, 'GET', '/notifications')).body;
  assert.deepEqual(rows.filter((n) => n.thread_id === thread), []);
});

test('B4: everybody says where they are told of what', async () => {
  await page.goto(`${at.url}/me`);
  const box = page.getByRole('checkbox', { name: 'Somebody names me in a note: By mail' });
  await box.check();
  await eventually(async () => (await call(page, 'GET', '/me/notifications')).body.find((one) => one.event === 'mentioned').mail, true);
  await accessible(page, 'settings');
  await shot('settings');
});

test('B5: the stream of a record shows mail, notes and changes, each alone where one wants', async () => {
  const { body: made } = await call(page, 'POST', '/records', { kind: 'account', name: 'Oak Ltd' });
  await call(page, 'POST', `/threads/${thread}/links`, { record_id: made.id });
  await call(page, 'PATCH', `/records/${made.id}`, { version: made.version, name: 'Oak plc' });
  await call(page, 'POST', `/records/${made.id}/notes`, { body: `@[x](user:${await id('dana@acme.example')}) call them` });
  await page.goto(`${at.url}/records/account/${made.id}?show=stream`);
  await page.getByText('Name: Oak Ltd → Oak plc').waitFor();
  await page.getByText('@Dana Marková').waitFor();
  await shot('stream');
  const parts = page.getByRole('group', { name: 'Show' });
  await parts.getByRole('button', { name: 'Notes' }).click();
  await page.getByText('Name: Oak Ltd → Oak plc').waitFor({ state: 'detached' });
  await page.getByText('@Dana Marková').waitFor();
  await parts.getByRole('button', { name: 'Changes' }).click();
  await page.getByText('@Dana Marková').waitFor({ state: 'detached' });
  await page.getByText('Name: Oak Ltd → Oak plc').waitFor();
  await accessible(page, 'a stream');
});

test('B6: phone, dark and Czech', async () => {
  const phone = await at.open({ viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true });
  await at.signIn(phone);
  const me = (await call(phone, 'GET', '/session')).body.user;
  assert.equal((await call(phone, 'PATCH', '/me', { language: 'cs' })).status, 200);
  await call(phone, 'POST', `/threads/${thread}/hand`, { user: me.id });
  await phone.goto(`${at.url}/inbox/all/${thread}`);
  await phone.getByText(`Má: ${me.name}`).waitFor();
  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await shot('phone', phone);
  await phone.goto(`${at.url}/me`);
  await phone.getByRole('heading', { name: 'Co se dozvíte' }).waitFor();
  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
  await shot('phone-settings', phone);
  await call(phone, 'PATCH', '/me', { language: 'en' });
  assert.deepEqual(at.noise.filter((line) => !/404/.test(line)), []);
});
