/** The five examples of docs/rules.md: how each rule is written on the page, and mail for it. The test follows them, and the pictures are taken of them. */

/** Writes a rule on the page, as a person would. */
export async function write(page, url, { place, name, any = false, conditions, actions }) {
  await page.goto(`${url}/rules/new?place=${place}`);
  await page.getByLabel('Name', { exact: true }).first().fill(name);
  for (const [i, c] of conditions.entries()) {
    if (i > 0) await page.getByRole('button', { name: 'Add a condition' }).click();
    const of = (what) => page.getByLabel(`Condition ${i + 1}: ${what}`);
    await of('what').selectOption({ label: c.what });
    if (c.header) await of('header field').fill(c.header);
    await of('how').selectOption({ label: c.how });
    if (c.value !== undefined) await set(of('value'), c.value);
  }
  if (any) await page.getByRole('radio', { name: 'any of these holds' }).check();
  for (const [i, { does, mapping, label, ...rest }] of actions.entries()) {
    if (i > 0) await page.getByRole('button', { name: 'Add an action' }).click();
    const n = i + 1;
    await page.getByLabel(`Action ${n}: what is done`).selectOption({ label: does });
    for (const [what, value] of Object.entries(rest)) await set(page.getByLabel(`Action ${n}: ${what}`), value);
    if (label) await choose(page, n, label);
    if (mapping) await map(page.getByRole('group', { name: `Action ${n}`, exact: true }), mapping);
  }
}
async function set(control, value) {
  if ((await control.evaluate((e) => e.tagName)) === 'SELECT') await control.selectOption({ label: value });
  else await control.fill(value);
}
/** A label: one that is there, or a new one. */
async function choose(page, n, name) {
  const control = page.getByLabel(`Action ${n}: label`);
  if ((await control.locator('option').allInnerTexts()).includes(name)) { await control.selectOption({ label: name }); return; }
  await control.selectOption({ label: 'New label…' });
  await page.getByLabel('Name of the label').fill(name);
  await page.getByRole('button', { name: 'Create', exact: true }).click();
  await control.waitFor();
}
async function map(group, { name, address, account, fields }) {
  await group.getByLabel('Name', { exact: true }).fill(name);
  await group.getByLabel('Mail address').fill(address);
  if (account) await group.getByLabel('Company').fill(account);
  for (const [i, [to, from]] of fields.entries()) {
    await group.getByRole('button', { name: 'Add a field' }).click();
    await group.getByLabel(`Field ${i + 1} of the record`).fill(to);
    await group.getByLabel(`Field ${i + 1}: where it comes from`).fill(from);
  }
}

let sent = 0;
/** A mail as it arrives, with LF. */
export const mail = ({ from, to = 'sales@acme.example', subject, text = 'Hello\n', headers = [] }) =>
  [`From: ${from}`, `To: ${to}`, `Subject: ${subject}`, `Message-ID: <e2e-${process.pid}-${++sent}@rules.example>`, `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`, 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', ...headers, '', text].join('\n');

const FORM = { name: 'First name, Last name', address: 'E-mail', account: 'Company', fields: [['Phone', 'Phone'], ['Message', 'Your message']] };
/** `place` is the list of the mailbox sales@acme.example. */
export const examples = (place) => ({
  support: {
    rule: { place, name: 'Support tag', conditions: [{ what: 'Subject', how: 'contains', value: '[support]' }], actions: [{ does: 'create a case', process: 'Helpdesk', team: 'Support' }, { does: 'label', label: 'Support' }] },
    mail: mail({ from: 'Petr Novak <petr@customer.example>', subject: '[Support] The drawer does not close', text: 'It stops halfway.\n' }),
  },
  form: {
    rule: { place, name: 'Web form', conditions: [{ what: 'From', how: 'contains', value: 'form@www.acme.example' }], actions: [{ does: 'create a contact from a form', mapping: FORM }, { does: 'create a lead from a form', mapping: FORM }] },
    mail: mail({ from: 'Web form <form@www.acme.example>', subject: 'Message from the web', text: 'First name: Ivana\nLast name: Mala\nE-mail: ivana@mala-workshop.example\nCompany: Mala Workshop\nPhone: +420 601 234 567\nYour message: Please send me the price list.\n' }),
  },
  invoices: {
    rule: { place, name: 'Invoices', any: true, conditions: [{ what: 'Subject', how: 'contains', value: 'invoice' }, { what: 'Attachment name', how: 'begins with', value: 'invoice' }], actions: [{ does: 'link to the account', 'by whose address': 'by the sender’s address' }, { does: 'label', label: 'Invoices' }, { does: 'mark as read' }] },
    mail: mail({ from: 'Accounts <billing@steelworks.example>', subject: 'Invoice 2026-118' }),
  },
  newsletters: {
    filter: { place: 'global', name: 'Deals of the day', conditions: [{ what: 'Header field', header: 'List-Id', how: 'contains', value: 'deals.shop.example' }], actions: [{ does: 'skip: do not import' }] },
    skipped: mail({ from: 'Shop <news@shop.example>', subject: 'Everything must go', headers: ['List-Id: Deals <deals.shop.example>', 'List-Unsubscribe: <https://shop.example/off>', 'Precedence: list'] }),
    rule: { place, name: 'Newsletters', conditions: [{ what: 'Kind of mail', how: 'is', value: 'mailing list' }], actions: [{ does: 'mark as read' }, { does: 'move to a folder', folder: 'Newsletters' }, { does: 'try no further rules' }] },
    moved: mail({ from: 'Trade weekly <weekly@trade.example>', subject: 'Trade weekly 47', headers: ['List-Id: Weekly <weekly.trade.example>', 'List-Unsubscribe: <https://trade.example/off>', 'Precedence: list'] }),
  },
  vip: {
    rule: { place, name: 'Big customer', conditions: [{ what: 'From', how: 'ends with', value: '@big-customer.example' }], actions: [{ does: 'create a case', process: 'Sales', team: 'Sales', priority: 'High priority' }, { does: 'assign', 'to whom': 'to one person', person: 'Emil Havel' }] },
    mail: mail({ from: 'Vera Vip <vera@big-customer.example>', subject: 'We need fifty cabinets by Friday' }),
  },
});
