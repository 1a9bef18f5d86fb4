/** The texts of invitations. */
export default {
  'invitation.publish': 'Event', 'invitation.request': 'Invitation', 'invitation.reply': 'Answer to an invitation', 'invitation.cancel': 'Called off', 'invitation.counter': 'Another time is proposed',
  'invitation.untitled': 'Without a title', 'invitation.when': 'When', 'invitation.where': 'Where', 'invitation.organizer': 'Organiser', 'invitation.people': 'People', 'invitation.repeats': 'Repeats', 'invitation.occurrence': 'One of a series: {at}',
  'invitation.none': 'no answer yet', 'invitation.accepted': 'comes', 'invitation.declined': 'does not come', 'invitation.tentative': 'perhaps', 'invitation.delegated': 'sends somebody else', 'invitation.optional': 'optional',
  'invitation.daily': 'every day', 'invitation.weekly': 'every week', 'invitation.monthly': 'every month', 'invitation.yearly': 'every year',
  'invitation.days': { one: 'every {n} day', other: 'every {n} days' }, 'invitation.weeks': { one: 'every {n} week', other: 'every {n} weeks' }, 'invitation.months': { one: 'every {n} month', other: 'every {n} months' }, 'invitation.years': { one: 'every {n} year', other: 'every {n} years' },
  'invitation.times': { one: '{n} time', other: '{n} times' }, 'invitation.until': 'until {date}',
} as const;
