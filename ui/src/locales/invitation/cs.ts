import type { AreaCatalog } from '../../lib/i18n.svelte';

export default {
  'invitation.publish': 'Událost', 'invitation.request': 'Pozvánka', 'invitation.reply': 'Odpověď na pozvánku', 'invitation.cancel': 'Zrušeno', 'invitation.counter': 'Návrh jiného termínu',
  'invitation.untitled': 'Bez názvu', 'invitation.when': 'Kdy', 'invitation.where': 'Kde', 'invitation.organizer': 'Pořadatel', 'invitation.people': 'Účastníci', 'invitation.repeats': 'Opakuje se', 'invitation.occurrence': 'Jedna z řady událostí: {at}',
  'invitation.none': 'zatím bez odpovědi', 'invitation.accepted': 'přijde', 'invitation.declined': 'nepřijde', 'invitation.tentative': 'možná přijde', 'invitation.delegated': 'posílá zástupce', 'invitation.optional': 'nepovinně',
  'invitation.daily': 'každý den', 'invitation.weekly': 'každý týden', 'invitation.monthly': 'každý měsíc', 'invitation.yearly': 'každý rok',
  'invitation.days': { one: 'každý {n} den', few: 'každé {n} dny', many: 'každého {n} dne', other: 'každých {n} dní' }, 'invitation.weeks': { one: 'každý {n} týden', few: 'každé {n} týdny', many: 'každého {n} týdne', other: 'každých {n} týdnů' }, 'invitation.months': { one: 'každý {n} měsíc', few: 'každé {n} měsíce', many: 'každého {n} měsíce', other: 'každých {n} měsíců' }, 'invitation.years': { one: 'každý {n} rok', few: 'každé {n} roky', many: 'každého {n} roku', other: 'každých {n} let' },
  'invitation.times': { one: '{n}krát', few: '{n}krát', many: '{n}krát', other: '{n}krát' }, 'invitation.until': 'do {date}',
} satisfies AreaCatalog<'invitation'>;
