/** Rules that no type checker keeps. */
import { expect, test } from 'vitest';

const files = import.meta.glob<string>(['./**/*.svelte', './**/*.ts', '!./**/*.test.ts'], { eager: true, query: '?raw', import: 'default' });
const all = Object.entries(files);
const having = (re: RegExp) => all.filter(([, text]) => re.test(text)).map(([path]) => path);

const texts = async (): Promise<Record<string, unknown>> => Object.assign({}, ...Object.values(import.meta.glob('./locales/**/en.ts', { eager: true, import: 'default' })));

test('the sources were found', () => expect(all.length).toBeGreaterThan(40));
test('no foreign HTML enters the page: no {@html}, innerHTML or srcdoc', () => expect(having(/\{@html|\.(inner|outer)HTML\s*=|insertAdjacentHTML|srcdoc=/)).toEqual([]));
test('bits-ui is imported only in src/ui', () => expect(having(/from 'bits-ui'/).filter((p) => !p.startsWith('./ui/'))).toEqual([]));
test('the server is called only through the client', () => expect(having(/[^.\w]fetch\(/).filter((p) => p !== './api/client.ts')).toEqual([]));
test('the mail frame never allows scripts', () => {
  expect(files['./ui/MailFrame.svelte']).toContain('sandbox=');
  expect(having(/allow-scripts/)).toEqual([]);
});
test('every text a page asks for by name exists in the catalogue', async () => {
  const en = await texts();
  const asked = all.flatMap(([, text]) => [...text.matchAll(/\bt\('([\w.]+)'/g)].map((m) => m[1]!));
  expect(asked.filter((k) => !(k in en))).toEqual([]);
});
test('no text of the catalogue is left over', async () => {
  const en = await texts();
  const source = all.filter(([p]) => !p.startsWith('./locales/')).map(([, text]) => text).join('\n');
  const byWord = /^(toldOf|streamPart|snooze|sharing|rule\.(auth|nature|missing)|ruleField|ruleTest|ruleAction|ruleSide|ruleBy|ruleHelp|ruleResult|hue|view|status|priority|reason|event|stage|problem|after|kind|kinds|new|level|theme|density|tls|settings|ledger|help|why|defect|code|remedy|field|note|source|use|step|notice|phase|deal|lead|alike|convert|outcome|outcomes|target|existing|refused|part|role|tlsName|folder|quarantined|doubt|bounce|auth|delivery|webhookEvent|webhookState|by)\./; // asked for by a word of the server or a template
  expect(Object.keys(en).filter((k) => !byWord.test(k) && !source.includes(`'${k}'`) && !source.includes(`"${k}"`))).toEqual([]);
});
