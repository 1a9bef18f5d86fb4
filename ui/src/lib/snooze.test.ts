import { expect, test } from 'vitest';
import { moments } from './snooze';

const at = (text: string) => moments(new Date(text)).map((m) => [m.key, m.at.toDateString(), m.at.getHours()].join(' '));

test('D5: a snooze is offered until later, tomorrow and next Monday morning', () => {
  expect(at('2026-03-04T10:20:00')).toEqual(['later Wed Mar 04 2026 14', 'tomorrow Thu Mar 05 2026 8', 'week Mon Mar 09 2026 8']);
  expect(at('2026-03-09T10:00:00')).toEqual(['later Mon Mar 09 2026 13', 'tomorrow Tue Mar 10 2026 8', 'week Mon Mar 16 2026 8']);
});
test('D5: in the evening there is no later today', () => {
  expect(at('2026-03-08T22:10:00')).toEqual(['tomorrow Mon Mar 09 2026 8', 'week Mon Mar 09 2026 8']);
});
