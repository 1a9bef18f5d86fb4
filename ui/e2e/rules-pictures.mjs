/** Makes the pictures of docs/rules.md from the running program: npm run pictures. */
import { examples, mail, write } from './examples.mjs';
import { call, eventually } from './host.mjs';
import { deliver } from './imap.mjs';

/** `page` is the administrator's on the filled server; sales@acme.example is connected. */
export async function rulesPictures(at, page, picture) {
  const SALES = at.mailbox.address;
  const box = (await call(page, 'GET', '/mailboxes')).body.rows.find((m) => m.address === SALES);
  const example = examples(`mailbox-${box.id}`);
  const button = (name) => page.getByRole('button', { name, exact: true });
  const save = async () => { await button('Save and switch on').click(); await page.getByRole('heading', { level: 1, name: 'Rules and filters' }).waitFor(); };
  const rows = async () => (await call(page, 'GET', `/threads?view=all&mailbox=${box.id}&limit=100`)).body.rows;
  const filed = (subject) => eventually(async () => (await rows()).some((r) => r.subject === subject), true, `${subject} was not filed`);

  await deliver(at.mailbox, SALES, 'INBOX', mail({ from: 'Jan Dvorak <jan@customer.example>', subject: '[support] A wheel squeaks', text: 'Since Monday.\n' }));
  await deliver(at.mailbox, SALES, 'INBOX', example.form.mail);
  await filed('[support] A wheel squeaks');
  await filed('Message from the web');
  await write(page, at.url, example.support.rule);
  await picture('rules-support');
  await page.getByRole('button', { name: 'Try on the last 200 messages' }).click();
  await page.getByText(/match(es)?, \d+ were looked at\.$/).waitFor();
  await page.locator('.page').evaluate((e) => e.scrollTo(0, e.scrollHeight));
  await picture('rules-try');
  await save();
  await deliver(at.mailbox, SALES, 'INBOX', example.support.mail);
  await filed('[Support] The drawer does not close');
  await page.goto(`${at.url}/inbox/all/${(await rows()).find((r) => r.subject.startsWith('[Support]')).id}`);
  await page.getByRole('button', { name: 'Why is it here?' }).last().click();
  const trace = page.getByRole('region', { name: 'Rules and filters' });
  await trace.scrollIntoViewIfNeeded();
  await picture('rules-trace');

  await write(page, at.url, example.form.rule);
  const trial = page.getByLabel('Try it on a message').first();
  const option = await trial.locator('option').filter({ hasText: 'Message from the web' }).first().getAttribute('value');
  await trial.selectOption(option ?? { index: 1 });
  await button('Show what it finds').first().click();
  await page.getByText('ivana@mala-workshop.example').waitFor();
  await picture('rules-form');
  await save();
  for (const [name, rule] of [['rules-invoices', example.invoices.rule], ['rules-newsletters', example.newsletters.rule], ['rules-vip', example.vip.rule]]) {
    await write(page, at.url, rule);
    await picture(name);
    await save();
  }
}
