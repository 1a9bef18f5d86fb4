/**
 * Every code that the server can say has a sentence in every language: the codes are read from its source, where they
 * stand as words in the few calls that make a trouble, a refusal or a notification.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { locales, sentence, setLocale, withTexts } from './lib/i18n.svelte';

const sources = import.meta.glob<string>(['../../crates/*/src/**/*.rs', '!**/tests.rs', '!**/tests/**'], { eager: true, query: '?raw', import: 'default' });
const rust = Object.entries(sources).map(([path, text]) => [path, text.split(/^#\[cfg\(test\)\]$/m)[0]!] as const);
/** What `re` finds in the files, or in the one block that begins with `block`. */
const found = (re: RegExp, path = /./, block?: string) => [...new Set(rust.filter(([p]) => path.test(p)).flatMap(([, text]) => [...(block ? text.slice(text.indexOf(block)).split(/^}$/m)[0]! : text).matchAll(re)].map((m) => m[1]!)))].sort();

/** A trouble's params are not known here: any sentence may ask for any of them. */
const PARAMS = Object.fromEntries(['host', 'port', 'user', 'folder', 'said', 'most', 'least', 'address', 'name', 'value', 'number', 'login', 'text', 'new', 'sampled', 'days', 'field', 'at'].map((p) => [p, 'x']));
const missing = (group: string, codes: string[]) => codes.filter((c) => sentence(group, c, PARAMS) === undefined);

const stageWords = found(/=> "(\w+)",/g, /wire\/src\/error\.rs$/, 'impl Stage');
const codes = [...new Set([...found(/=> "(\w+)",/g, /wire\/src\/error\.rs$/).filter((c) => !stageWords.includes(c)), ...found(/Trouble::new\(\s*"\w+",\s*"(\w+)"/g)])];
const stages = [...new Set([...stageWords, ...found(/Trouble::new\(\s*"(\w+)"/g)])];
const faults = found(/=> "(\w+)",/g, /intake\/src\/rules\/compile\.rs$/, 'impl Fault');
const fields = found(/\binvalid\(\s*(?:"\w+"|\w+),\s*"(\w+)"/g);
const problems = found(/(?:Refusal::conflict\(|Problem::new\(\s*StatusCode::\w+,|Conflict \{\s*code:)\s*"(\w+)"/g);
const notices = found(/Notice::new\(\s*"(\w+)"/g);
/** Said to programs only: the interface never asks for such a thing. */
const FOR_PROGRAMS = ['no_such_route', 'wrong_method', 'unsupported_media_type', 'too_large', 'too_slow', 'sign_in_required', 'is_case', 'own_case', 'external_id_taken', 'import_running', 'too_many_listeners', 'too_many_tokens', 'csrf_token', 'bad_request', 'json_expected', 'cross_site', 'bad_token'];

beforeAll(() => withTexts('cases', 'gateway', 'links', 'records', 'replies', 'rules', 'telling'));
test('the codes were found', () => expect([codes.length > 25, fields.length > 15, problems.length > 10]).toEqual([true, true, true]));
describe.each(locales)('%s', (l) => {
  beforeAll(() => setLocale(l));
  test('A9: every trouble with a mail server', () => expect(missing('code', codes)).toEqual([]));
  test('A9: every stage', () => expect(missing('stage', stages)).toEqual([]));
  // What is wrong with a query is told by the server in more words than one sentence for all has.
  test('every fault of a field', () => expect(missing('field', [...faults, ...fields].filter((c) => c !== 'bad_query'))).toEqual([]));
  test('every refusal', () => expect(missing('problem', problems.filter((c) => !FOR_PROGRAMS.includes(c)))).toEqual([]));
  test('every notification', () => expect(missing('notice', notices)).toEqual([]));
});
