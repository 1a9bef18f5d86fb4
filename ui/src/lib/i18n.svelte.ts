import en from '../locales/en';
import type cases from '../locales/cases/en';
import type gateway from '../locales/gateway/en';
import type invitation from '../locales/invitation/en';
import type links from '../locales/links/en';
import type records from '../locales/records/en';
import type replies from '../locales/replies/en';
import type rules from '../locales/rules/en';
import type telling from '../locales/telling/en';

type Plural = { readonly [C in Intl.LDMLPluralRule]?: string } & { readonly other: string };
type Shape<T> = { readonly [K in keyof T]: T[K] extends string ? string : Plural };
type Areas = { cases: typeof cases; gateway: typeof gateway; invitation: typeof invitation; links: typeof links; records: typeof records; replies: typeof replies; rules: typeof rules; telling: typeof telling };
export type Area = keyof Areas;
type Texts = typeof en & Areas['cases'] & Areas['gateway'] & Areas['invitation'] & Areas['links'] & Areas['records'] & Areas['replies'] & Areas['rules'] & Areas['telling'];
export type Key = keyof Texts;
export type Catalog = Shape<typeof en>;
/** The texts of an area in another language. */
export type AreaCatalog<A extends Area> = Shape<Areas[A]>;

type Names<S> = S extends `${string}{${infer P}}${infer Rest}` ? P | Names<Rest> : never;
type Params<K extends Key> = Texts[K] extends infer V ? Names<V extends string ? V : V[keyof V]> : never;
type Args<K extends Key> = [Params<K>] extends [never] ? [] : [{ [P in Params<K>]: string | number }];
/** Keys whose text stands alone: no parameters, no plural. */
export type PlainKey = { [K in Key]: Args<K> extends [] ? K : never }[Key];

/**
 * One chunk per language and area; English is the source, and its core is built in. Areas are texts that only some
 * pages need: all together they are many times the core.
 */
type Loaded = { readonly [key: string]: string | Plural | undefined };
const chunks = import.meta.glob<Loaded>(['../locales/cs.ts', '../locales/pl.ts', '../locales/sk.ts', '../locales/*/*.ts'], { import: 'default' });
export type Locale = 'en' | 'cs' | 'sk' | 'pl';
export const locales: readonly Locale[] = ['en', 'cs', 'sk', 'pl'];
const load = async (area: Area | 'core', l: Locale): Promise<Loaded> => (area === 'core' ? (l === 'en' ? en : chunks[`../locales/${l}.ts`]!()) : chunks[`../locales/${area}/${l}.ts`]!());

let locale = $state<Locale>('en');
/** What dates and numbers follow: the language with the browser's region if they agree; English without one is European. */
const region = $derived(navigator.languages.find((l) => l.toLowerCase().startsWith(`${locale}-`)) ?? (locale === 'en' ? 'en-GB' : locale));
let catalog = $state.raw<Loaded>(en);
const areas = new Set<Area | 'core'>(['core']);
let wished: Locale = 'en';

async function show(next: Locale) {
  wished = next;
  const parts = await Promise.all([...areas].map((area) => load(area, next)));
  if (wished !== next) return; // somebody changed their mind meanwhile
  // Requests may overtake one another: what another one brought of this language stays.
  catalog = Object.assign({}, locale === next ? catalog : undefined, ...parts);
  locale = next;
  document.documentElement.lang = next;
}
export const setLocale = show;
let arriving: Promise<unknown> = Promise.resolve();
/** Brings the texts of areas, once; `t` knows them when the promise is kept, also of those that are on their way already. */
export async function withTexts(...wanted: Area[]) {
  if (wanted.every((area) => areas.has(area))) return void (await arriving);
  for (const area of wanted) areas.add(area);
  const shown = show(wished);
  arriving = Promise.allSettled([arriving, shown]);
  await shown;
}
export const currentLocale = () => locale;
/** The first of the wished languages that we speak; English if none. */
export const bestLocale = (wished: readonly string[]): Locale =>
  wished.map((w) => w.slice(0, 2).toLowerCase()).find((w): w is Locale => (locales as readonly string[]).includes(w)) ?? 'en';
/** A language's name in itself. */
export const languageName = (l: Locale) => {
  const name = new Intl.DisplayNames(l, { type: 'language' }).of(l) ?? l;
  return name[0]!.toLocaleUpperCase(l) + name.slice(1);
};

export function t<K extends Key>(key: K, ...args: Args<K>): string {
  return filled(catalog[key] ?? key, args[0] ?? {});
}
type Given = Record<string, string | number | undefined>;
function filled(entry: string | Plural, params: Given): string {
  const text = typeof entry === 'string' ? entry : (entry[plurals(locale).select(Number(params.n))] ?? entry.other);
  return text.replace(/\{(\w+)\}/g, (_, name) => format(params[name]));
}
/** The text of a word that came from the server (`reason.from`), or the word itself if we have no text for it. */
export const word = (group: string, value: string): string => sentence(group, value) ?? value.replaceAll('_', ' ');
/** The sentence for a code of the server, filled in; `undefined` if there is none or something it names was not given. */
export function sentence(group: string, code: string, params: Given = {}): string | undefined {
  const entry = catalog[`${group}.${code}`];
  if (entry === undefined) return undefined;
  const given = [...JSON.stringify(entry).matchAll(/\{(\w+)\}/g)].every(([, name]) => params[name!] !== undefined && params[name!] !== '');
  return given ? filled(entry, params) : undefined;
}

const cached = <A extends unknown[], V>(make: (...args: A) => V) => {
  const seen = new Map<string, V>();
  return (...args: A) => {
    const key = JSON.stringify(args);
    let made = seen.get(key);
    if (made === undefined) seen.set(key, (made = make(...args)));
    return made;
  };
};
const plurals = cached((l: string) => new Intl.PluralRules(l));
const numbers = cached((l: string, o: Intl.NumberFormatOptions) => new Intl.NumberFormat(l, o));
const dates = cached((l: string, o: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(l, o));
const relative = cached((l: string) => new Intl.RelativeTimeFormat(l, { numeric: 'auto', style: 'short' }));
const lists = cached((l: string) => new Intl.ListFormat(l, { style: 'short', type: 'unit' }));
const collators = cached((l: string) => new Intl.Collator(l, { numeric: true, sensitivity: 'base' }));

const format = (v: string | number | undefined) => (typeof v === 'number' ? numbers(region, {}).format(v) : (v ?? ''));
export const number = (n: number) => numbers(region, {}).format(n);
export const duration = (n: number, unit: 'minute' | 'hour' | 'day') => numbers(region, { style: 'unit', unit, unitDisplay: 'long' }).format(n);
export const percent = (share: number) => numbers(region, { style: 'percent' }).format(share);
export const list = (words: readonly string[]) => lists(region).format(words);
export const fullDate = (iso: string) => dates(region, { dateStyle: 'full', timeStyle: 'short' }).format(new Date(iso));
export const dateTime = (iso: string) => dates(region, { day: 'numeric', month: 'numeric', year: 'numeric', hour: 'numeric', minute: '2-digit' }).format(new Date(iso));
/** A moment as `Intl.DateTimeFormat` shows it with these options. */
export const moments = (options: Intl.DateTimeFormatOptions, iso: string) => dates(region, options).format(new Date(iso));
/** For sorting names as the language does: Czech and Slovak put "ch" after "h". */
export const compare = (a: string, b: string) => collators(region).compare(a, b);

/** 14:32 today, 20. 11. this year, 20. 11. 2025 before. */
export function shortDate(iso: string, now = Date.now()) {
  const d = new Date(iso), n = new Date(now);
  if (d.toDateString() === n.toDateString()) return dates(region, { hour: 'numeric', minute: '2-digit' }).format(d);
  return dates(region, { day: 'numeric', month: 'numeric', ...(d.getFullYear() !== n.getFullYear() && { year: 'numeric' }) }).format(d);
}
/** "3 min. ago", "yesterday": minutes up to an hour and a half, hours up to a day and a half, then days. */
export function fromNow(iso: string, now = Date.now()) {
  const minutes = Math.round((Date.parse(iso) - now) / 60_000), r = relative(region);
  if (Math.abs(minutes) < 90) return r.format(minutes, 'minute');
  return Math.abs(minutes) < 36 * 60 ? r.format(Math.round(minutes / 60), 'hour') : r.format(Math.round(minutes / 1440), 'day');
}
/** 840 B, 12 kB, 3.4 MB: decimal units, as mail providers count. */
export function size(bytes: number) {
  const [value, unit] = bytes < 1000 ? [bytes, 'byte'] : bytes < 1e6 ? [bytes / 1e3, 'kilobyte'] : bytes < 1e9 ? [bytes / 1e6, 'megabyte'] : [bytes / 1e9, 'gigabyte'];
  return numbers(region, { style: 'unit', unit: unit as string, unitDisplay: 'short', maximumFractionDigits: (value as number) < 10 && unit !== 'byte' ? 1 : 0 }).format(value as number);
}
