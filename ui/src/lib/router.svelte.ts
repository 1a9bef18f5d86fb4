import type { Component } from 'svelte';

type Names<P> = P extends `${string}:${infer N}/${infer R}` ? N | Names<`/${R}`> : P extends `${string}:${infer N}` ? N : never;
export type PathParams<P> = { [N in Names<P> as N extends `${infer O}?` ? never : N]: string } & { [N in Names<P> as N extends `${infer O}?` ? O : never]?: string };
export type Params = Record<string, string | undefined>;
type Page = Component<{ params: Params }>;
type Guard = { dirty: () => boolean; question: () => string };
type Query = Record<string, string | number | undefined>;

/** The regular expression of a path such as `/inbox/:view/:thread?`. */
export const pattern = (path: string) => new RegExp(`^${path.replace(/\/:(\w+)(\?)?/g, (_, n, o) => (o ? `(?:/(?<${n}>[^/]+))?` : `/(?<${n}>[^/]+)`))}/?$`);

/** `?a=1&b=2` of the parameters that are set, or nothing. */
export function queryString(query: Query) {
  const set = Object.entries(query).filter(([, v]) => v !== undefined && v !== '');
  return set.length ? `?${new URLSearchParams(set.map(([k, v]) => [k, String(v)]))}` : '';
}

/**
 * One flat table: path → lazily loaded page. The page stays mounted while only its parameters change.
 * Decided against SvelteKit: its fallback page carries an inline script, which our CSP refuses.
 */
export function createRouter<P extends string>(table: Record<P, () => Promise<{ default: unknown }>>) {
  const routes = (Object.keys(table) as P[]).map((path) => ({ path, re: pattern(path), load: table[path] }));
  let url = $state.raw(new URL(location.href));
  const match = $derived.by(() => {
    for (const r of routes) {
      const m = r.re.exec(url.pathname);
      if (m) return { path: r.path, load: r.load, params: Object.fromEntries(Object.entries(m.groups ?? {}).map(([k, v]) => [k, v && decode(v)])) as Params };
    }
  });
  // Two steps, so that changing only a parameter keeps the same loader and so the same mounted page.
  const load = $derived(match?.load);
  const page = $derived(load?.().then((m) => m.default as Page));

  /** Of the page that is shown, if it holds something typed. */
  let guard: Guard | undefined;
  const stay = () => !!guard?.dirty() && !confirm(guard.question());

  function go(to: string, { replace = false } = {}) {
    const next = new URL(to, location.href);
    if (next.pathname !== url.pathname && stay()) return;
    history[replace ? 'replaceState' : 'pushState'](null, '', next);
    url = next;
  }
  addEventListener('popstate', () => {
    if (stay()) history.pushState(null, '', url); // back on the page we were asked to keep
    else url = new URL(location.href);
  });
  addEventListener('beforeunload', (e) => { if (guard?.dirty()) e.preventDefault(); }); // the browser asks in its own words
  addEventListener('click', (e) => {
    const a = (e.target as Element).closest?.('a');
    if (!a || e.defaultPrevented || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey || a.target || a.origin !== location.origin || a.hasAttribute('download') || a.pathname.startsWith('/api/')) return;
    e.preventDefault();
    go(a.href);
  });
  return {
    get path() { return match?.path; },
    get params() { return match?.params ?? {}; },
    get search() { return url.searchParams; },
    get url() { return url; },
    get page() { return page; },
    go,
    /** As long as `dirty` says so, the page is left only after `question` was answered with yes. Returns the undo, as an effect wants it. */
    guard(next: Guard) {
      guard = next;
      return () => { if (guard === next) guard = undefined; };
    },
    /** The address of a page. */
    href: <Q extends P>(path: Q, params: PathParams<Q>, query: Query = {}) =>
      path.replace(/\/:(\w+)\??/g, (_, n) => {
        const v = (params as Params)[n];
        return v === undefined ? '' : `/${encodeURIComponent(v)}`;
      }) + queryString(query),
  };
}

function decode(text: string) {
  try { return decodeURIComponent(text); } catch { return text; } // a stray % in a hand-typed address
}
