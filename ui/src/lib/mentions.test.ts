import { describe, expect, test } from 'vitest';
import { asked, fitting, markedUp, pieces } from './mentions';

const people = [{ id: 1, name: 'Šárka Nováková' }, { id: 2, name: 'Ben' }, { id: 3, name: 'Ben Novák' }, { id: 4, name: 'Łukasz Żak' }];

describe('B5: people named in notes', () => {
  test('a note is shown with names, and what only looks like a mention is text', () => {
    expect(pieces('Hi @[Ben](user:2), a@b.example @[x](user:y)')).toEqual([{ text: 'Hi ' }, { text: '@Ben', id: 2 }, { text: ', a@b.example @[x](user:y)' }]);
    expect(pieces('plain')).toEqual([{ text: 'plain' }]);
  });
  test('the name being typed is found, but not in an address', () => {
    expect(asked('Hello @be', 9)).toEqual({ at: 6, word: 'be' });
    expect(asked('Hello @Ben No', 13)).toEqual({ at: 6, word: 'Ben No' });
    expect(asked('@', 1)).toEqual({ at: 0, word: '' });
    expect(asked('ann@firm', 8)).toBeUndefined();
    expect(asked('@Ben Novák please', 17)).toBeUndefined();
    expect(asked('no', 2)).toBeUndefined();
  });
  test('marks over letters do not matter, first names come first', () => {
    expect(fitting(people, 'sar').map((p) => p.id)).toEqual([1]);
    expect(fitting(people, 'NOV').map((p) => p.id)).toEqual([1, 3]);
    expect(fitting(people, 'luk').map((p) => p.id)).toEqual([4]);
    expect(fitting(people, 'be').map((p) => p.id)).toEqual([2, 3]);
  });
  test('the longest name is meant, and of two with one name the chosen one', () => {
    expect(markedUp('@Ben Novák and @Ben, ann@Ben', people)).toBe('@[Ben Novák](user:3) and @[Ben](user:2), ann@Ben');
    expect(markedUp('@Benjamin', people)).toBe('@Benjamin');
    expect(markedUp('@Ben', [...people, { id: 9, name: 'Ben' }], [{ id: 9, name: 'Ben' }])).toBe('@[Ben](user:9)');
  });
});
