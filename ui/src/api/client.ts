/**
 * The one place that talks to the server: typed calls that return a value or throw a `Problem`.
 * A session that ended in the middle of work does not fail the call: it waits for the sign-in dialog and is sent again,
 * so nothing typed is lost.
 */
import createClient from 'openapi-fetch';
import { sentence } from '../lib/i18n.svelte';
import { session } from '../lib/session.svelte';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type User = Schemas['User'];
export type ThreadRow = Schemas['ThreadRow'];
export type ThreadPage = Schemas['ThreadPage'];
export type ThreadCase = Schemas['ThreadCase'];
export type Thread = Schemas['Thread'];
export type Entry = Schemas['Entry'];
export type Suggestion = Schemas['Suggestion'];
export type MessageEntry = Schemas['MessageEntry'];
export type NoteEntry = Schemas['NoteEntry'];
export type EventEntry = Schemas['EventEntry'];
export type Message = Schemas['Message'];
export type Invitation = Schemas['Invitation'];
export type Person = Schemas['Person'];
export type Attachment = Schemas['Attachment'];
export type Link = Schemas['Link'];
export type RecordKind = Schemas['RecordKind'];
export type RecordRow = Schemas['RecordRow'];
export type Record_ = Schemas['Record'];
export type StreamEntry = Schemas['StreamEntry'];
export type Case = Schemas['Case'];
export type CaseChange = Schemas['CaseChange'];
export type Sharing = Schemas['Sharing'];
export type Member = Schemas['Member'];
export type WorkingHours = Schemas['WorkingHours'];
export type CaseStatus = Schemas['CaseStatus'];
export type Priority = Schemas['Priority'];
export type SearchRow = Schemas['SearchRow'];
export type UserRow = Schemas['UserRow'];
export type Mailbox = Schemas['Mailbox'];
export type NewMailbox = Schemas['NewMailbox'];
export type TestResult = Schemas['TestResult'];
export type MailboxChange = Schemas['MailboxChange'];
export type Ledger = Schemas['Ledger'];
export type ServerFolder = Schemas['ServerFolder'];
export type Candidate = Schemas['GuessCandidate'];
export type Provider = Schemas['Provider'];
export type Role = Schemas['Role'];
export type OutgoingSettings = Schemas['OutgoingMail'];
export type QuarantineRow = Schemas['QuarantineRow'];
export type Notification_ = Schemas['Notification'];
export type TreeFolder = Schemas['TreeFolder'];
export type FolderTree = Schemas['FolderTree'];
export type FolderRow = Schemas['FolderRow'];
export type FolderPage = Schemas['FolderPage'];
export type Change = Schemas['ChangeRow'];
export type Label = Schemas['Label'];
export type Rule = Schemas['Rule'];
export type NewRule = Schemas['NewRule'];
export type FormFound = Schemas['FormFound'];
export type RuleTried = Schemas['RuleTried'];
export type RuleCondition = Pick<Schemas['Condition'], 'field' | 'test'> & Partial<Schemas['Condition']>;
type Assignment = { [K in keyof Schemas['Assignment']]?: Schemas['Assignment'][K] };
/** An action as it is written: `do`, and of the rest what is its own. */
export type RuleAction = Pick<Schemas['Action'], 'do'> & Partial<Omit<Schemas['Action'], 'assignment'>> & { assignment?: Assignment | null };

export type FieldProblem = Schemas['FieldProblem'];

/** A refusal: the server's problem+json, or `network` when there was no answer at all. */
export class Problem extends Error {
  /** By field, what is wrong with it, in the user's language where we have a sentence for its code. */
  readonly fields: Record<string, string>;
  constructor(readonly status: number, readonly code: string, message: string, readonly wrong: Record<string, FieldProblem> = {}, readonly params: Record<string, string> = {}) {
    super(message);
    this.fields = Object.fromEntries(Object.entries(wrong).map(([field, one]) => [field, sentence('field', one.code, one.params) ?? one.message]));
  }
}

const UNSAFE = /^(POST|PUT|PATCH|DELETE)$/;

async function once(request: Request): Promise<Response> {
  if (UNSAFE.test(request.method)) request.headers.set('X-CSRF-Token', session.csrf);
  try {
    return await fetch(request);
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    throw new Problem(0, 'network', '');
  }
}

async function send(request: Request): Promise<Response> {
  const spare = request.clone();
  const answer = await once(request);
  if (!session.user || new URL(request.url).pathname.endsWith('/session')) return answer;
  if (answer.status === 401) await session.signInAgain();
  // Another tab signed in anew, so the cookie is fresh and only our token is old.
  else if (answer.status === 403 && (await codeOf(answer)) === 'csrf_token') session.csrf = (await api.session()).csrf_token;
  else return answer;
  return once(spare);
}
const codeOf = async (answer: Response): Promise<string> => ((await answer.clone().json().catch(() => ({}))) as { code?: string }).code ?? '';

/** For the calls of pages that are loaded later: `pages/records/calls.ts` and its like. */
export const client = createClient<paths>({ baseUrl: location.origin, fetch: send });

/** Turns openapi-fetch's `{ data, error }` into a value or a thrown `Problem`, which is what a query wants. */
export async function value<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (response.ok) return data as T;
  const p = (typeof error === 'object' && error ? error : {}) as Partial<Schemas['Problem']>;
  throw new Problem(response.status, p.code ?? `http_${response.status}`, p.detail ?? p.title ?? response.statusText, p.fields ?? {}, p.params ?? {});
}

export const byId = (id: number) => ({ params: { path: { id } } });
export type Q<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer T } } } ? T : never;

/** Rows per page of every list by position. */
export const PAGE = 100;

export const api = {
  session: () => value(client.GET('/api/v1/session')),
  signIn: (login: string, password: string) => value(client.POST('/api/v1/session', { body: { login, password } })),
  signOut: () => value(client.DELETE('/api/v1/session')),
  setUp: (body: Schemas['SetUp']) => value(client.POST('/api/v1/setup', { body })),
  changeMe: (body: Schemas['MeChange']) => value(client.PATCH('/api/v1/me', { body })),

  views: () => value(client.GET('/api/v1/views')),
  threads: (query: Q<'/api/v1/threads'>) => value(client.GET('/api/v1/threads', { params: { query } })),
  thread: (id: number) => value(client.GET('/api/v1/threads/{id}', byId(id))),
  markRead: (id: number, read: boolean) => value(read ? client.PUT('/api/v1/threads/{id}/read', byId(id)) : client.DELETE('/api/v1/threads/{id}/read', byId(id))),
  addNote: (id: number, body: string) => value(client.POST('/api/v1/threads/{id}/notes', { ...byId(id), body: { body } })),
  link: (id: number, record_id: number) => value(client.POST('/api/v1/threads/{id}/links', { ...byId(id), body: { record_id } })),
  accept: (id: number, record: number) => value(client.POST('/api/v1/threads/{id}/suggestions/{record}/accept', { params: { path: { id, record } } })),
  dismiss: (id: number, record: number) => value(client.POST('/api/v1/threads/{id}/suggestions/{record}/dismiss', { params: { path: { id, record } } })),
  verify: (id: number) => value(client.POST('/api/v1/messages/{id}/verify', byId(id))),
  detach: (id: number) => value(client.POST('/api/v1/messages/{id}/detach', byId(id))),
  unlink: (id: number) => value(client.DELETE('/api/v1/links/{id}', byId(id))),
  createCase: (thread: number) => value(client.POST('/api/v1/threads/{id}/case', { ...byId(thread), body: {} })),
  message: (id: number) => value(client.GET('/api/v1/messages/{id}', byId(id))),
  search: (query: Q<'/api/v1/search'>) => value(client.GET('/api/v1/search', { params: { query } })),

  records: (query: Q<'/api/v1/records'>) => value(client.GET('/api/v1/records', { params: { query } })),
  record: (id: number) => value(client.GET('/api/v1/records/{id}', byId(id))),
  newRecord: (body: Schemas['NewRecord']) => value(client.POST('/api/v1/records', { body })),
  changeRecord: (id: number, body: Schemas['RecordChange']) => value(client.PATCH('/api/v1/records/{id}', { ...byId(id), body })),
  stream: (id: number, before?: number) => value(client.GET('/api/v1/records/{id}/stream', { params: { path: { id }, query: { before, limit: 50 } } })),
  addRecordNote: (id: number, body: string) => value(client.POST('/api/v1/records/{id}/notes', { ...byId(id), body: { body } })),
  recordThreads: (id: number, offset: number) => value(client.GET('/api/v1/records/{id}/threads', { params: { path: { id }, query: { offset, limit: PAGE } } })),
  follow: (id: number, on: boolean) => value(on ? client.PUT('/api/v1/records/{id}/follow', byId(id)) : client.DELETE('/api/v1/records/{id}/follow', byId(id))),
  case: (id: number) => value(client.GET('/api/v1/cases/{id}', byId(id))),
  changeCase: (id: number, body: CaseChange) => value(client.PATCH('/api/v1/cases/{id}', { ...byId(id), body })),
  mergeCase: (id: number, into: number) => value(client.POST('/api/v1/cases/{id}/merge', { ...byId(id), body: { into } })),
  splitCase: (id: number, messages: number[]) => value(client.POST('/api/v1/cases/{id}/split', { ...byId(id), body: { messages } })),
  sharing: (mailbox: number) => value(client.GET('/api/v1/mailboxes/{id}/distribution', byId(mailbox))),
  changeSharing: (mailbox: number, body: Schemas['SharingChange']) => value(client.PATCH('/api/v1/mailboxes/{id}/distribution', { ...byId(mailbox), body })),
  team: (id: number) => value(client.GET('/api/v1/teams/{id}', byId(id))),
  setTeamHours: (id: number, working_hours: WorkingHours | null) => value(client.PUT('/api/v1/teams/{id}', { ...byId(id), body: { working_hours } })),
  availability: (user: number) => value(client.GET('/api/v1/users/{id}/availability', byId(user))),
  changeAvailability: (user: number, body: Schemas['MemberChange']) => value(client.PATCH('/api/v1/users/{id}/availability', { ...byId(user), body })),
  handOver: (user: number, by: Sharing['distribution']) => value(client.POST('/api/v1/users/{id}/hand-over', { ...byId(user), body: { by } })),

  users: () => value(client.GET('/api/v1/users')),
  newUser: (body: Schemas['NewUser']) => value(client.POST('/api/v1/users', { body })),
  changeUser: (id: number, body: Schemas['UserPatch']) => value(client.PATCH('/api/v1/users/{id}', { ...byId(id), body })),
  roles: () => value(client.GET('/api/v1/roles')),
  teams: () => value(client.GET('/api/v1/teams')),
  processes: () => value(client.GET('/api/v1/processes')),
  tokens: () => value(client.GET('/api/v1/tokens')),
  newToken: (name: string) => value(client.POST('/api/v1/tokens', { body: { name } })),
  dropToken: (id: number) => value(client.DELETE('/api/v1/tokens/{id}', byId(id))),

  mailboxes: () => value(client.GET('/api/v1/mailboxes')),
  mailbox: (id: number) => value(client.GET('/api/v1/mailboxes/{id}', byId(id))),
  newMailbox: (body: NewMailbox) => value(client.POST('/api/v1/mailboxes', { body })),
  changeMailbox: (id: number, body: MailboxChange) => value(client.PATCH('/api/v1/mailboxes/{id}', { ...byId(id), body })),
  testMailbox: (body: NewMailbox) => value(client.POST('/api/v1/mailboxes/test', { body })),
  testSending: (body: Schemas['TestSending']) => value(client.POST('/api/v1/mailboxes/test-sending', { body })),
  guess: (address: string) => value(client.POST('/api/v1/mailboxes/guess', { body: { address } })),
  resume: (id: number) => value(client.POST('/api/v1/mailboxes/{id}/resume', byId(id))),
  reconcile: (id: number) => value(client.POST('/api/v1/mailboxes/{id}/reconcile', byId(id))),
  reconciled: (id: number) => value(client.GET('/api/v1/mailboxes/{id}/reconcile', byId(id))),
  clearPreview: (id: number, before?: string) => value(client.GET('/api/v1/mailboxes/{id}/clear', { params: { path: { id }, query: { before } } })),
  clear: (id: number, before: string | null) => value(client.POST('/api/v1/mailboxes/{id}/clear', { ...byId(id), body: { before } })),
  setPassword: (id: number, password: string) => value(client.PUT('/api/v1/mailboxes/{id}/password', { ...byId(id), body: { password } })),
  scan: (id: number) => value(client.POST('/api/v1/mailboxes/{id}/scan', byId(id))),
  moveMessages: (id: number, to_mailbox_id: number, to_folder: string) => value(client.POST('/api/v1/mailboxes/{id}/move-messages', { ...byId(id), body: { to_mailbox_id, to_folder } })),
  ledger: (id: number) => value(client.GET('/api/v1/mailboxes/{id}/ledger', byId(id))),
  filtered: (id: number) => value(client.GET('/api/v1/mailboxes/{id}/filtered', byId(id))),
  fileFiltered: (occurrence: number) => value(client.POST('/api/v1/filtered/{id}/file', byId(occurrence))),
  quarantine: () => value(client.GET('/api/v1/quarantine')),
  quarantineRaw: (occurrence: number) => value<string>(client.GET('/api/v1/quarantine/{id}/raw', { ...byId(occurrence), parseAs: 'text' }) as never),
  retry: (occurrence: number) => value(client.POST('/api/v1/quarantine/{id}/retry', byId(occurrence))),
  retryAll: (reason: string | null) => value(client.POST('/api/v1/quarantine/retry', { body: { reason } })),

  folders: (id: number) => value(client.GET('/api/v1/mailboxes/{id}/folders', byId(id))),
  folderMessages: (id: number, folder: number, offset: number) => value(client.GET('/api/v1/mailboxes/{id}/folders/{folder_id}/messages', { params: { path: { id, folder_id: folder }, query: { offset, limit: PAGE } } })),
  setFlags: (id: number, body: Schemas['FlagRequest']) => value(client.POST('/api/v1/mailboxes/{id}/messages/flags', { ...byId(id), body })),
  moveTo: (id: number, occurrence_ids: number[], folder_id: number) => value(client.POST('/api/v1/mailboxes/{id}/messages/move', { ...byId(id), body: { occurrence_ids, folder_id } })),
  deleteMessages: (id: number, occurrence_ids: number[]) => value(client.POST('/api/v1/mailboxes/{id}/messages/delete', { ...byId(id), body: { occurrence_ids } })),

  providers: () => value(client.GET('/api/v1/providers')),
  newProvider: (body: Schemas['NewProvider']) => value(client.POST('/api/v1/providers', { body })),
  changeProvider: (id: number, body: Schemas['ProviderChange']) => value(client.PATCH('/api/v1/providers/{id}', { ...byId(id), body })),
  dropProvider: (id: number) => value(client.DELETE('/api/v1/providers/{id}', byId(id))),
  authorize: (id: number, address: string) => value(client.POST('/api/v1/providers/{id}/authorize', { ...byId(id), body: { address } })),
  device: (id: number) => value(client.POST('/api/v1/providers/{id}/device', byId(id))),
  grantRequest: (request: string) => value(client.GET('/api/v1/grant-requests/{request}', { params: { path: { request } } })),

  notifications: (offset: number) => value(client.GET('/api/v1/notifications', { params: { query: { offset, limit: PAGE } } })),
  readNotifications: (up_to: number) => value(client.POST('/api/v1/notifications/read', { body: { up_to } })),
  outgoing: () => value(client.GET('/api/v1/settings/outgoing')),
  setOutgoing: (body: Schemas['NewOutgoingMail']) => value(client.PUT('/api/v1/settings/outgoing', { body })),
  newRole: (body: Schemas['RolePatch']) => value(client.POST('/api/v1/roles', { body })),
  changeRole: (id: number, body: Schemas['RolePatch']) => value(client.PATCH('/api/v1/roles/{id}', { ...byId(id), body })),
};
