import type { AreaCatalog } from '../../lib/i18n.svelte';

export default {
  'invitation.publish': 'Udalosť', 'invitation.request': 'Pozvánka', 'invitation.reply': 'Odpoveď na pozvánku', 'invitation.cancel': 'Zrušené', 'invitation.counter': 'Návrh iného termínu',
  'invitation.untitled': 'Bez názvu', 'invitation.when': 'Kedy', 'invitation.where': 'Kde', 'invitation.organizer': 'Organizátor', 'invitation.people': 'Účastníci', 'invitation.repeats': 'Opakuje sa', 'invitation.occurrence': 'Jedna z radu udalostí: {at}',
  'invitation.none': 'zatiaľ bez odpovede', 'invitation.accepted': 'príde', 'invitation.declined': 'nepríde', 'invitation.tentative': 'možno príde', 'invitation.delegated': 'posiela zástupcu', 'invitation.optional': 'nepovinne',
  'invitation.daily': 'každý deň', 'invitation.weekly': 'každý týždeň', 'invitation.monthly': 'každý mesiac', 'invitation.yearly': 'každý rok',
  'invitation.days': { one: 'každý {n} deň', few: 'každé {n} dni', many: 'každého {n} dňa', other: 'každých {n} dní' }, 'invitation.weeks': { one: 'každý {n} týždeň', few: 'každé {n} týždne', many: 'každého {n} týždňa', other: 'každých {n} týždňov' }, 'invitation.months': { one: 'každý {n} mesiac', few: 'každé {n} mesiace', many: 'každého {n} mesiaca', other: 'každých {n} mesiacov' }, 'invitation.years': { one: 'každý {n} rok', few: 'každé {n} roky', many: 'každého {n} roka', other: 'každých {n} rokov' },
  'invitation.times': { one: '{n}-krát', few: '{n}-krát', many: '{n}-krát', other: '{n}-krát' }, 'invitation.until': 'do {date}',
} satisfies AreaCatalog<'invitation'>;
