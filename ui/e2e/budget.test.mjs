/** How much a browser has to fetch. Sizes in bytes after gzip, of the build in dist/. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const ASSETS = new URL('../dist/assets/', import.meta.url);
const files = readdirSync(ASSETS).map((name) => ({ name, text: readFileSync(new URL(name, ASSETS)) })).map((f) => ({ ...f, gz: gzipSync(f.text).length }));
const scripts = new Map(files.filter((f) => f.name.endsWith('.js')).map((f) => [f.name, f]));
const index = readFileSync(new URL('../dist/index.html', import.meta.url), 'utf8');

/** A script with all it imports statically. */
function closure(names, seen = new Set()) {
  for (const name of names) {
    if (seen.has(name) || !scripts.has(name)) continue;
    seen.add(name);
    closure([...String(scripts.get(name).text).matchAll(/(?:from|import)\s*["'`]\.\/([^"'`]+\.js)["'`]/g)].map((m) => m[1]), seen);
  }
  return seen;
}
const sum = (names) => [...names].reduce((n, name) => n + scripts.get(name).gz, 0);
const first = closure([...index.matchAll(/assets\/([\w.-]+\.js)/g)].map((m) => m[1]));
const inbox = closure([...scripts.keys()].filter((n) => n.startsWith('Inbox-')), new Set(first));

test('the first page, the inbox with everything it imports, is at most 110 kB of script', () => {
  assert.ok(inbox.size > first.size, 'the inbox chunk was not found');
  assert.ok(sum(inbox) <= 110_000, `${sum(inbox)} bytes`);
});
test('no lazy page is more than 40 kB of script', () => {
  for (const [name, { gz }] of scripts) assert.ok(gz <= 40_000, `${name}: ${gz} bytes`);
});
test('no script or style stands inside index.html, so the CSP stays strict', () => {
  assert.doesNotMatch(index, /<script(?![^>]*\bsrc=)|<style|\son\w+=/);
});
test('only the two font files that the four languages need are shipped', () => {
  assert.deepEqual(files.filter((f) => /\.woff2?$/.test(f.name)).map((f) => f.name.replace(/-wght.*/, '')).sort(), ['inter-latin', 'inter-latin-ext']);
});
