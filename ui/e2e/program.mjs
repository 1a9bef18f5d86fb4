/** The real program with mails of a test's own, imported from files; no mail server. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const PROGRAM = process.env.LETTERCASE_BIN ?? '../target/debug/lettercase';
const LOGIN = { login: 'ann', password: 'demo-2026-acme' };
const PAGE = 200; // threads of one answer

/** `mails` are whole messages as text. `context` is a browser's that has signed in. */
export async function withMails(mails, options = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'lettercase-mails-'));
  const run = (...args) => {
    const child = spawn(PROGRAM, [...args, '--data', join(folder, 'data')], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, LETTERCASE_LOG: 'warn' } });
    child.stdout.resume();
    return { child, ended: once(child, 'exit') };
  };
  mkdirSync(join(folder, 'mails'));
  mails.forEach((mail, n) => writeFileSync(join(folder, 'mails', `${n}.eml`), mail));
  const [code] = await run('import', join(folder, 'mails')).ended;
  assert.equal(code, 0, 'import');
  const { child: server, ended } = run('serve', '--listen', '127.0.0.1:0');
  const [line] = await Promise.race([once(createInterface(server.stdout), 'line'), ended.then(([status]) => { throw new Error(`serve ended with ${status}`); })]);
  const url = /http:\/\/\S+/.exec(line)[0];
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', timezoneId: 'Europe/Prague', reducedMotion: 'reduce', ...options });
  const made = await context.request.post(`${url}/api/v1/setup`, { data: { name: 'Ann', language: 'en', ...LOGIN } });
  assert.ok(made.ok(), `setup: ${made.status()}`);
  const get = async (path) => (await context.request.get(`${url}/api/v1${path}`)).json();

  /** All messages with their threads. */
  async function messages() {
    const found = [];
    for (let offset = 0; ; offset += PAGE) {
      const { rows, total } = await get(`/threads?limit=${PAGE}&offset=${offset}`);
      for (const row of rows) for (const entry of (await get(`/threads/${row.id}`)).entries) if (entry.kind === 'message') found.push({ id: entry.id, thread: row.id, name: entry.subject });
      if (offset + PAGE >= total) return found;
    }
  }
  async function stop() {
    await browser.close();
    server.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
  return { url, context, messages, stop };
}
