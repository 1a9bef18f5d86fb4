import { expect, test } from 'vitest';
import { pieces } from './passage';

const marked = (text: string, ranges: number[][]) => pieces(text, ranges).map((p) => (p.hit ? `[${p.text}]` : p.text)).join('');
test('matched ranges are cut out', () => expect(marked('chybí dvě palety', [[6, 9], [10, 16]])).toBe('chybí [dvě] [palety]'));
test('order does not matter and overlapping ranges are joined without loss', () => expect(marked('abcdef', [[3, 5], [1, 4]])).toBe('a[bcd][e]f'));
test('ranges that make no sense change nothing', () => expect(marked('abc', [[-1, 2], [2, 2], [9, 12], [], [3, 1]])).toBe('abc'));
test('a range past the end stops at the end', () => expect(marked('abc', [[1, 99]])).toBe('a[bc]'));
test('markup in a message stays text', () => expect(pieces('<b>x</b>', [[3, 4]]).map((p) => p.text).join('')).toBe('<b>x</b>'));
