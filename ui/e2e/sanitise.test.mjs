/**
 * HTML of strangers in a real browser: every sample of the corpora (read where they lie) is imported, sanitised by the
 * real program and opened, once with the policy it is served with and once without any, so that the sanitiser stands
 * alone. Nothing may run, nothing may be asked for, and nothing may be left that could do either when it is touched.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { withMails } from './program.mjs';

const CORPORA = process.env.LETTERCASE_CORPORA ?? fileURLToPath(new URL('../../../shared/corpora', import.meta.url));
const SETS = ['bleach', 'dompurify', 'httpleaks', 'loofah'];
const skip = existsSync(CORPORA) ? false : `no corpora at ${CORPORA}`;

let program;

/** Each sample with a name that says where it comes from. */
const samples = () => SETS.flatMap((set) => JSON.parse(readFileSync(join(CORPORA, `expected/html-${set}.json`), 'utf8')).items.map((item) => ({
  name: `${set} ${item.id}`,
  html: item.input ?? readFileSync(join(CORPORA, item.file), 'utf8'),
})));

const mail = ({ name, html }, n) => ['From: Ann <ann@a.example>', 'To: ben@b.example', 'Date: Mon, 2 Mar 2026 10:00:00 +0100', `Message-ID: <sample-${n}@a.example>`,
  `Subject: =?utf-8?B?${Buffer.from(name).toString('base64')}?=`, 'MIME-Version: 1.0', 'Content-Type: text/html; charset=utf-8', 'Content-Transfer-Encoding: base64', '',
  Buffer.from(html).toString('base64').replace(/.{76}/g, '$&\r\n'), ''].join('\r\n');

before(async () => {
  if (!skip) program = await withMails(samples().map(mail));
});
after(() => program?.stop());

/** What is left in a document that could run or load something, by its structure alone. Runs in the page. */
function leftovers() {
  const left = [];
  const own = document.querySelectorAll('head > meta, head > base, head > style');
  for (const element of document.querySelectorAll('*')) {
    const tag = element.localName;
    if (/^(script|iframe|frame|frameset|object|embed|applet|form|input|button|select|textarea|link|svg|math|template|video|audio|source|track|portal|dialog|style|meta|base)$/.test(tag) && ![...own].includes(element)) left.push(`<${tag}>`);
    if (element.namespaceURI !== 'http://www.w3.org/1999/xhtml') left.push(`${tag} of ${element.namespaceURI}`);
    for (const { name, value } of element.attributes) {
      if (/^on|^(srcdoc|formaction|action|ping|autofocus|contenteditable|is|slot)$/.test(name)) left.push(`${tag} ${name}`);
      if (name === 'href' && !/^(https?|mailto|tel):/i.test(value) && tag !== 'base') left.push(`${tag} href ${value}`);
      if (/^(src|background|poster|data|cite|longdesc|lowsrc|dynsrc)$/.test(name) && !/^(data:image\/(png|gif|jpe?g|webp|bmp)|\/api\/v1\/messages\/\d+\/inline\/)/i.test(value)) left.push(`${tag} ${name} ${value.slice(0, 60)}`);
      if (name === 'style' && /url\((?!["']?(data:|\/api\/v1\/messages\/))|expression|behavior|@import|-moz-binding|image-set/i.test(value)) left.push(`${tag} style ${value.slice(0, 60)}`);
    }
  }
  return left;
}

/** Hands every element what a reader's hand would do to it. Runs in the page, where scripts may run at all. */
function touch() {
  for (const element of document.querySelectorAll('body *')) for (const kind of ['mouseover', 'mouseenter', 'mousemove', 'mousedown', 'focus', 'blur', 'toggle', 'scroll', 'wheel', 'keydown', 'pointerdown', 'animationstart', 'error', 'load']) element.dispatchEvent(new Event(kind, { bubbles: true, cancelable: true }));
}

/** Opens each body, or `instead` in its place, and says what happened: samples in which something ran or was left, and requests beyond the body itself. */
async function look(all, policy, instead) {
  const unsafe = new Map(), requests = [];
  let at = '', body = '';
  const bad = (what) => unsafe.set(at, [...(unsafe.get(at) ?? []), what]);
  const page = await program.context.newPage();
  page.on('dialog', (dialog) => { bad(`dialog ${dialog.message()}`); dialog.dismiss().catch(() => {}); });
  page.on('pageerror', (error) => bad(`script error ${error}`));
  page.on('popup', (popup) => { bad('popup'); popup.close().catch(() => {}); });
  page.on('console', (message) => { if (policy && /Refused|violates/.test(message.text())) requests.push(`${at}: ${message.text()}`); });
  await page.addInitScript(() => { for (const name of ['alert', 'confirm', 'prompt', 'open', 'print']) window[name] = () => { window.__ran = name; }; });
  await page.route('**/*', async (route) => {
    const asked = route.request().url();
    if (asked !== body) {
      // A picture of the letter itself comes from us.
      if (new RegExp(`^${program.url}/api/v1/messages/\\d+/inline/`).test(asked)) return route.fulfill({ status: 404 });
      requests.push(`${at}: ${asked}`);
      return route.abort();
    }
    const response = await route.fetch();
    const headers = response.headers();
    assert.ok(headers['content-security-policy'].includes('sandbox'), 'the policy is served');
    if (!policy) delete headers['content-security-policy'];
    return route.fulfill({ response, headers, ...(instead && { body: instead }) });
  });
  for (const { id, name } of all) {
    at = name;
    body = `${program.url}/api/v1/messages/${id}/body.html`;
    await page.goto(body, { waitUntil: 'load' });
    for (const left of await page.evaluate(leftovers)) bad(left);
    if (!policy) await page.evaluate(touch);
    const ran = await page.evaluate(() => window.__ran || document.title);
    if (ran) bad(`ran ${ran}`);
    if (page.url() !== body) bad(`went to ${page.url()}`);
  }
  await page.close();
  return { unsafe, requests };
}

test('what runs and what is asked for is seen, so the scores below mean something', { skip }, async () => {
  const [one] = await program.messages();
  const hostile = '<!doctype html><body><img src="https://leak.example/x" onerror="alert(1)"><a href="javascript:alert(2)">x</a>';
  const { unsafe, requests } = await look([one], false, hostile);
  const seen = unsafe.get(one.name) ?? [];
  for (const what of ['img onerror', 'a href javascript:alert(2)', 'img src https://leak.example/x', 'ran alert']) assert.ok(seen.includes(what), `${what}: ${seen}`);
  assert.deepEqual(requests, [`${one.name}: https://leak.example/x`]);
});

for (const policy of [true, false]) {
  test(`t01 t06: no sample of hostile HTML runs or asks for anything, ${policy ? 'with its policy' : 'by the sanitiser alone'}`, { skip }, async (t) => {
    const all = await program.messages();
    assert.equal(all.length, samples().length);
    const { unsafe, requests } = await look(all, policy);
    const score = `sanitiser in Chromium, ${policy ? 'with' : 'without'} policy: ${all.length} samples, ${unsafe.size} unsafe, ${requests.length} requests`;
    console.log(score);
    t.diagnostic(score);
    assert.deepEqual([...unsafe], []);
    assert.deepEqual(requests, []);
  });
}
