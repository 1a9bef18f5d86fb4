import type { AreaCatalog } from '../../lib/i18n.svelte';

export default {
  'invitation.publish': 'Wydarzenie', 'invitation.request': 'Zaproszenie', 'invitation.reply': 'Odpowiedź na zaproszenie', 'invitation.cancel': 'Odwołane', 'invitation.counter': 'Propozycja innego terminu',
  'invitation.untitled': 'Bez tytułu', 'invitation.when': 'Kiedy', 'invitation.where': 'Gdzie', 'invitation.organizer': 'Organizator', 'invitation.people': 'Uczestnicy', 'invitation.repeats': 'Powtarza się', 'invitation.occurrence': 'Jedno z serii: {at}',
  'invitation.none': 'jeszcze bez odpowiedzi', 'invitation.accepted': 'przyjdzie', 'invitation.declined': 'nie przyjdzie', 'invitation.tentative': 'być może przyjdzie', 'invitation.delegated': 'wysyła zastępcę', 'invitation.optional': 'opcjonalnie',
  'invitation.daily': 'codziennie', 'invitation.weekly': 'co tydzień', 'invitation.monthly': 'co miesiąc', 'invitation.yearly': 'co rok',
  'invitation.days': { one: 'co {n} dzień', few: 'co {n} dni', many: 'co {n} dni', other: 'co {n} dnia' }, 'invitation.weeks': { one: 'co {n} tydzień', few: 'co {n} tygodnie', many: 'co {n} tygodni', other: 'co {n} tygodnia' }, 'invitation.months': { one: 'co {n} miesiąc', few: 'co {n} miesiące', many: 'co {n} miesięcy', other: 'co {n} miesiąca' }, 'invitation.years': { one: 'co {n} rok', few: 'co {n} lata', many: 'co {n} lat', other: 'co {n} roku' },
  'invitation.times': { one: '{n} raz', few: '{n} razy', many: '{n} razy', other: '{n} raza' }, 'invitation.until': 'do {date}',
} satisfies AreaCatalog<'invitation'>;
