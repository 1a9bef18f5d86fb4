/**
 * Starts what the browser tests run against: the real program with a real IMAP server and some mail.
 * LETTERCASE_E2E_COMMAND prints one line of JSON (what is in it: crates/testkit/src/bin/e2e-host.rs) and runs until its standard input
 * closes. `url` is a server with mailboxes and mail, `empty_url` one that nobody has set up yet.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { AxeBuilder } from '@axe-core/playwright';
import { chromium } from 'playwright-core';

const COMMAND = process.env.LETTERCASE_E2E_COMMAND ?? '../target/debug/e2e-host';
const PATIENCE_MS = 60_000; // the machine may be busy with other tests
const RULES = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'];

export async function start() {
  const host = spawn(COMMAND, { shell: true, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(host, 'exit');
  const line = once(createInterface(host.stdout), 'line');
  const [first] = await Promise.race([line, ended.then(([code]) => { throw new Error(`${COMMAND} ended with ${code} before it said where it listens`); })]);
  const at = JSON.parse(first);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  /** What the browser complained about, over all pages. */
  const noise = [];

  async function open(options = {}) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', timezoneId: 'Europe/Prague', reducedMotion: 'reduce', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('console', (m) => ['error', 'warning'].includes(m.type()) && noise.push(`${m.text()} (${page.url()}, ${m.location().url})`));
    page.on('pageerror', (e) => noise.push(`${e} (${page.url()})`));
    return page;
  }
  /** As the administrator, or as somebody else of the sample; all have the same password. */
  async function signIn(page, path = '/', login = at.login) {
    await page.goto(at.url + path);
    await page.getByLabel('User name').fill(login);
    await page.getByLabel('Password').fill(at.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('navigation', { name: 'Main' }).waitFor();
  }
  async function stop() {
    await browser.close();
    host.stdin.end();
    await ended;
  }
  return { ...at, open, signIn, stop, noise };
}

/** Frames are left out: promises never resolve in a sandboxed one without scripts, and axe would wait for ever. */
export async function accessible(page, name) {
  const { violations } = await new AxeBuilder({ page }).exclude('iframe').withTags(RULES).analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${n.failureSummary}`).join(' | ')}`), [], name);
}

/** Asks until the answer is the expected one: what is shown at once reaches the server a moment later. */
export async function eventually(ask, expected, message) {
  const end = Date.now() + PATIENCE_MS;
  let answer;
  do {
    answer = await ask();
    if (answer === expected) return;
    await new Promise((done) => setTimeout(done, 100));
  } while (Date.now() < end);
  assert.equal(answer, expected, message);
}

/** Calls the API as the page's user, as the page itself would. */
export const call = (page, method, path, body) => page.evaluate(async ([method, path, body]) => {
  const { csrf_token } = await (await fetch('/api/v1/session')).json();
  const answer = await fetch(`/api/v1${path}`, { method, headers: { 'X-CSRF-Token': csrf_token, ...(body && { 'Content-Type': 'application/json' }) }, body: body && JSON.stringify(body) });
  return { status: answer.status, body: await answer.json().catch(() => null) };
}, [method, path, body]);
