/** A passage of text cut at its matched ranges, so that it can be drawn without ever parsing HTML. */
export type Piece = { text: string; hit: boolean };

/** `ranges` are [start, end) in UTF-16 units, in any order; overlapping ones are joined, wrong ones left out. */
export function pieces(text: string, ranges: readonly (readonly number[])[]): Piece[] {
  const sorted = ranges.filter(([a, b]) => a !== undefined && b !== undefined && a >= 0 && b > a && a < text.length).toSorted((x, y) => x[0]! - y[0]!);
  const out: Piece[] = [];
  let at = 0;
  const add = (to: number, hit: boolean) => { if (to > at) { out.push({ text: text.slice(at, to), hit }); at = to; } };
  for (const [start, end] of sorted) { add(start!, false); add(Math.min(end!, text.length), true); }
  add(text.length, false);
  return out;
}
