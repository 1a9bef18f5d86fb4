/** People named in notes. A note says `@[Ben Novák](user:7)`; people write and read `@Ben Novák`. */
export type Named = { id: number; name: string };
export type Piece = { text: string; id?: number };

const MENTION = /@\[([^[\]\n]*)\]\(user:(\d{1,18})\)/g;

/** A note in its pieces; those with an id name somebody. */
export function pieces(body: string): Piece[] {
  const out: Piece[] = [];
  let from = 0;
  for (const m of body.matchAll(MENTION)) {
    if (m.index > from) out.push({ text: body.slice(from, m.index) });
    out.push({ text: `@${m[1]}`, id: Number(m[2]) });
    from = m.index + m[0].length;
  }
  if (from < body.length) out.push({ text: body.slice(from) });
  return out;
}

/** Letters as they are searched: without case and marks. */
export const folded = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('ł', 'l').replaceAll('đ', 'd').replaceAll('ß', 'ss');

const LONGEST = 40; // letters behind an @ that are still a name being typed
/** The name being typed before the caret: where its @ stands, and what is there of it. */
export function asked(text: string, caret: number): { at: number; word: string } | undefined {
  const at = text.lastIndexOf('@', caret - 1);
  if (at < 0 || caret - at > LONGEST || /[\p{L}\p{N}]/u.test(text[at - 1] ?? ' ')) return undefined;
  const word = text.slice(at + 1, caret);
  return /^[^\s@]*( [^\s@]+)?$/u.test(word) ? { at, word } : undefined;
}

/** Those one of whose names begins so, those whose first name does in front. */
export function fitting<P extends Named>(people: readonly P[], word: string, most = 8): P[] {
  const wanted = folded(word);
  const names = people.map((p) => [p, folded(p.name)] as const);
  const first = names.filter(([, name]) => name.startsWith(wanted));
  const other = names.filter(([, name]) => !name.startsWith(wanted) && name.split(/[\s-]/).some((part) => part.startsWith(wanted)));
  return [...first, ...other].slice(0, most).map(([p]) => p);
}

/** The text as it is kept: every `@Name` of somebody names them. Of two with one name the one who was `chosen`. */
export function markedUp(text: string, people: readonly Named[], chosen: readonly Named[] = []): string {
  const known = [...chosen, ...people].filter((p) => p.name.trim() && !/[[\]\n]/.test(p.name)).sort((a, b) => b.name.length - a.name.length);
  let out = '';
  for (let i = 0; i < text.length; ) {
    const who = text[i] === '@' && !/[\p{L}\p{N}]/u.test(text[i - 1] ?? ' ') ? known.find((p) => text.startsWith(p.name, i + 1) && !/^[\p{L}\p{N}]/u.test(text.slice(i + 1 + p.name.length))) : undefined;
    out += who ? `@[${who.name}](user:${who.id})` : text[i];
    i += who ? 1 + who.name.length : 1;
  }
  return out;
}
