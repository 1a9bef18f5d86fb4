/** The source of all texts. The other languages satisfy the shape of this one; a test checks plural forms and parameters. */
export default {
  'app.name': 'Lettercase',
  'nav.main': 'Main', 'nav.inbox': 'Inbox', 'nav.records': 'Records', 'nav.search': 'Search', 'nav.settings': 'Settings', 'nav.me': 'My settings',
  'views': 'Views', 'views.teams': 'Teams', 'views.processes': 'Areas of work', 'mailboxes': 'Mailboxes',
  'view.mine': 'Assigned to me', 'view.unassigned': 'Unassigned', 'view.open': 'Open', 'view.waiting': 'Waiting', 'view.closed': 'Closed', 'view.unlinked': 'Not linked', 'view.all': 'Everything',

  'list.label': 'Conversations', 'list.count': { one: '{n} conversation', other: '{n} conversations' }, 'list.unread': 'Unread', 'list.attachments': 'With attachments', 'list.allMailboxes': 'All mailboxes',
  'list.done': 'All done. New mail appears here by itself.', 'list.none': 'No conversation here.', 'list.noMailbox': 'No mailbox is connected yet. Connect the first one and its mail appears here.', 'list.noAccess': 'There is no mail here that you may see. An administrator decides whose mail you see.',

  'thread.empty': 'Choose a conversation', 'thread.emptyHint': 'J and K move through the list, Enter opens.', 'thread.noSubject': '(no subject)', 'thread.noSender': '(no sender)', 'thread.back': 'Back to the list', 'thread.actions': 'Actions', 'thread.entries': 'Messages and notes', 'thread.markUnread': 'Mark as unread', 'thread.markedUnread': 'Marked as unread',

  'message.label': 'Message: {who}', 'message.fold': 'Fold the message: {who}', 'message.unfold': 'Unfold the message: {who}', 'message.from': 'From', 'message.to': 'To', 'message.cc': 'Cc', 'message.date': 'Date', 'message.received': 'Received', 'message.place': 'Mailbox', 'message.size': 'Size', 'message.authentication': 'Authentication', 'message.defectList': 'Defects', 'message.why': 'Why is it here?', 'message.raw': 'Download the original', 'message.files': 'Attachments', 'message.unnamed': 'Unnamed file',
  'message.blocked': 'Remote images blocked: {n}', 'message.blockedWhy': 'Loading them tells the sender that the message was opened.', 'message.showImages': 'Show images', 'message.bounce': 'Delivery report', 'message.autoReply': 'Automatic reply', 'message.list': 'Mailing list', 'message.defects': 'Shown as far as it can be understood: {what}. The original is kept unchanged.',
  'defect.empty': 'the message is empty', 'defect.no_header': 'it has no header, so all of it is shown as text', 'defect.no_blank_line': 'the header has no end', 'defect.bare_cr': 'its lines end in an unusual way', 'defect.missing_message_id': 'no Message-ID', 'defect.missing_date': 'no date', 'defect.missing_from': 'no sender', 'defect.duplicate_header': 'a header field is there more than once', 'defect.raw_header_bytes': 'characters in the header were guessed', 'defect.header_limit': 'the header is too long to be read whole', 'defect.address_limit': 'too many addresses to be read whole', 'defect.part_limit': 'too many parts to be read whole', 'defect.broken_structure': 'its parts are cut or badly divided', 'defect.broken_encoding': 'an attachment or text is badly encoded', 'defect.unknown_encoding': 'a part is encoded in an unknown way', 'defect.unknown_charset': 'the character set is unknown and was guessed', 'defect.wrong_charset': 'the character set is wrong and was guessed', 'defect.broken_text': 'some characters cannot be read', 'defect.text_limit': 'the text is too long to be shown whole',

  'note.title': 'Internal note', 'note.secret': 'only your team sees it', 'note.label': 'Internal note: {who}', 'note.placeholder': 'Write what your team should know.', 'note.add': 'Add note', 'note.save': 'Save note',

  'event.byItself': 'automatically',
  'event.case_created': 'Case created', 'event.assigned': 'Assigned', 'event.unassigned': 'Assignment removed', 'event.status_changed': 'Status', 'event.priority_changed': 'Priority', 'event.linked': 'Linked', 'event.unlinked': 'Link removed', 'event.verified': 'Sender confirmed', 'event.detached': 'Message moved out', 'event.merged': 'Merged', 'event.created': 'Created', 'event.changed': 'Changed', 'event.note': 'Note', 'event.message_in': 'Message received', 'event.message_out': 'Message sent', 'event.reopened': 'Reopened',

  'why.seen.copy': 'Copy of a message that is already here, in the mailbox', 'why.thread.new': 'A new conversation: it refers to no earlier message', 'why.thread.new_without_ids': 'A new conversation: the message has no identifier to go by', 'why.thread.reply': 'Reply: it belongs to this conversation by its references', 'why.thread.merged': 'It ties conversations together; they became one', 'why.linked': 'Linked', 'why.link.ambiguous': 'Several records have this address, so none was linked', 'why.case.created': 'A case was created', 'why.case.noted': 'Noted in the case', 'why.case.reopened': 'The case was opened again by it', 'why.case.none_own_mail': 'No case: the message is our own',

  'case.assign': 'Assign', 'case.assignee': 'Assignee', 'case.assignedTo': 'assigned: {who}', 'case.toMe': 'Assign to me', 'case.nobody': 'Nobody', 'case.people': 'People', 'case.status': 'Status', 'case.priority': 'Priority', 'case.close': 'Close', 'case.reopen': 'Reopen', 'case.create': 'Create case', 'case.created': 'Case created: {number}', 'case.open': 'Open the case', 'case.openOnes': 'Open cases', 'case.said': '{number}: {what}', 'case.threads': 'Conversations', 'case.createdAt': 'Created', 'case.closedAt': 'Closed',
  'status.open': 'Open', 'status.waiting': 'Waiting', 'status.closed': 'Closed', 'priority.high': 'High priority', 'priority.normal': 'Normal priority', 'priority.low': 'Low priority',

  'kind.account': 'Account', 'kind.contact': 'Contact', 'kind.lead': 'Lead', 'kind.opportunity': 'Opportunity', 'kind.case': 'Case',
  'kinds.account': 'Accounts', 'kinds.contact': 'Contacts', 'kinds.lead': 'Leads', 'kinds.opportunity': 'Opportunities', 'kinds.case': 'Cases',
  'new.account': 'New account', 'new.contact': 'New contact', 'new.lead': 'New lead', 'new.opportunity': 'New opportunity',
  'link.none': 'Not linked to any record.', 'link.add': 'Link a record', 'link.drop': 'Remove the link', 'link.made': 'Linked: {name}', 'link.dropped': 'Link removed: {name}',
  'reason.by_hand': 'Linked by hand', 'reason.created_case': 'The first message created this case', 'reason.from': 'Sender address', 'reason.reply_to': 'Reply-to address', 'reason.to': 'Recipient address', 'reason.cc': 'Address in copy', 'reason.contact_of': 'Account of the contact', 'reason.domain': 'Domain of the sender',
  'picker.placeholder': 'Name, address or number…', 'picker.none': 'No record found.',

  'records.name': 'Name', 'records.filter': 'Filter by name or address', 'records.count': { one: '{n} record', other: '{n} records' }, 'records.openCases': 'Open cases', 'records.last': 'Last mail', 'records.anyStatus': 'Any status', 'records.anybody': 'Anybody', 'records.sort': 'Sort', 'records.byName': 'By name', 'records.byLast': 'By last mail', 'records.byNumber': 'Newest first', 'records.none': 'Nothing here yet. Records you create are linked to their mail by address.', 'records.noMatch': 'Nothing matches the filter.', 'records.noCases': 'No case yet. The first mail of a conversation in a group mailbox creates one.',
  'record.new': 'New record', 'record.panel': 'Linked records', 'record.mail': 'Correspondence', 'record.stream': 'History', 'record.facts': 'Facts', 'record.addresses': 'Addresses', 'record.addressesHelp': 'One per line. Mail from and to these addresses is linked to the record.', 'record.domains': 'Domains', 'record.domainsHelp': 'One per line, such as acme.example. Mail from other addresses of the domain is linked too.', 'record.noAccount': 'None', 'record.pickAccount': 'Choose an account', 'record.dropAccount': 'Remove', 'record.fields': 'More fields', 'record.fieldLabel': 'Field', 'record.fieldValue': 'Value', 'record.addField': 'Add a field', 'record.follow': 'Follow', 'record.unfollow': 'Stop following', 'record.noMail': 'No correspondence yet.', 'record.noStream': 'Nothing has happened yet.',


  'settings.mailboxes': 'Mailboxes', 'settings.quarantine': 'Quarantine', 'settings.people': 'People', 'settings.forbidden': 'Only administrators see this page.',
  'mailbox.add': 'Add mailbox',

  'me.saved': 'Changes are saved at once.', 'me.language': 'Language', 'me.theme': 'Appearance', 'me.density': 'Density', 'me.shortcuts': 'Single-key shortcuts', 'me.shortcutsHelp': 'J, K, N, E and others. Press ? for the list.', 'me.signOut': 'Sign out',
  'theme.system': 'As the system', 'theme.light': 'Light', 'theme.dark': 'Dark', 'density.comfortable': 'Comfortable', 'density.compact': 'Compact',

  'setup.title': 'Set up Lettercase', 'setup.text': 'Create the administrator account. Mailboxes and people come next.', 'setup.name': 'Name', 'setup.loginHelp': 'Short, such as anna.', 'setup.tooShort': { one: 'At least {n} character.', other: 'At least {n} characters.' }, 'setup.do': 'Create account',
  'signIn.title': 'Sign in', 'signIn.login': 'User name', 'signIn.password': 'Password', 'signIn.do': 'Sign in', 'signIn.again': 'Sign in again', 'signIn.againText': 'Your session has ended. What you have written stays on the page.',

  'palette.title': 'Go to or do', 'palette.placeholder': 'Find a command, record or message…', 'palette.none': 'Nothing found.', 'palette.go': 'Go to', 'palette.do': 'Do', 'palette.theme': 'Switch light and dark', 'palette.density': 'Switch density', 'palette.searchAll': 'Search all mail: {text}',
  'help.title': 'Keyboard shortcuts', 'help.off': 'Single-key shortcuts are switched off in your settings.', 'help.move': 'Move', 'help.act': 'In a conversation', 'help.go': 'Go to',
  'help.next': 'Next', 'help.previous': 'Previous', 'help.open': 'Open', 'help.back': 'Back to the list', 'help.note': 'Internal note', 'help.close': 'Close or reopen the case', 'help.assign': 'Assign…', 'help.assignMe': 'Assign to me', 'help.link': 'Link a record', 'help.unread': 'Mark as unread', 'help.undo': 'Undo', 'help.save': 'Save the note',
  'help.palette': 'Commands', 'help.search': 'Search', 'help.inbox': 'Inbox', 'help.mine': 'Assigned to me', 'help.unassigned': 'Unassigned', 'help.all': 'Everything', 'help.records': 'Records', 'help.settings': 'Settings', 'help.help': 'This help',

  'act.save': 'Save', 'act.cancel': 'Cancel', 'act.edit': 'Edit', 'act.remove': 'Remove', 'act.retry': 'Try again', 'act.undo': 'Undo', 'act.dismiss': 'Dismiss', 'act.more': 'More', 'act.older': 'Older',
  'form.optional': '(optional)', 'form.leave': 'Leave the page? What you have changed is not saved.',
  'state.loading': 'Loading', 'live.lost': 'No connection to the server. Trying again…',
  'missing.title': 'There is nothing here', 'missing.text': 'The address is wrong, or you may not see what is there.', 'missing.home': 'To the inbox',
  'problem.title': 'That did not work', 'problem.unknown': 'Something went wrong. Nothing was changed.', 'problem.network': 'The server does not answer. Nothing is lost; try again in a moment.', 'problem.wrong_login': 'The user name or the password is wrong.', 'problem.too_many_attempts': 'Too many attempts. Wait a minute and try again.', 'problem.already_set_up': 'Lettercase is already set up. Sign in.', 'problem.login_taken': 'The user name is already taken.', 'problem.case_exists': 'The conversation already has a case.', 'problem.forbidden': 'You do not have the right to do this.', 'problem.not_found': 'It is not there, or you may not see it.', 'problem.changed_meanwhile': 'Somebody else changed it in the meantime. Load it again and repeat your change.', 'problem.failed': 'The server failed. Nothing was changed; try again in a moment.', 'problem.busy': 'The server is busy. Nothing was changed; try again in a moment.',
  'settings.roles': 'Roles', 'settings.outgoing': 'Outgoing mail', 'settings.providers': 'Sign-in providers', 'problem.last_administrator': 'Somebody has to remain administrator.', 'problem.linked_already': 'It is linked to this record already.',
  'field.required': 'This has to be filled in.', 'field.unknown': 'There is no such entry any more.', 'field.twice': '{folder} is there twice.', 'field.too_many': 'At most {most}.', 'field.too_long': 'At most {most} characters.', 'field.too_short': 'At least {least} characters.', 'field.bad_text': 'One line of plain text.', 'field.bad_value': 'This value is not possible here.', 'field.bad_login': 'A name or mail address without blanks.', 'field.bad_address': 'A mail address such as ann@company.example.',
  'reply.start': 'Reply',
  'case.team': 'Team', 'case.process': 'Process',
  'nav.notifications': 'Notifications', 'me.mailboxes': 'My mailboxes', 'me.mailboxesOpen': 'Open my mailboxes',
  'field.bad_name': 'A name of 1 to {most} characters, on one line.',
  'problem.invalid': 'Something has to be corrected.',
  'label.choose': 'Label…', 'label.here': 'Labels', 'rule.fromThis': 'Rule from this message…', 'help.label': 'label',
  'settings.rules': 'Rules and filters',
} as const;
