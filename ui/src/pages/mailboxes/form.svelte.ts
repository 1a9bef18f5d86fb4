/**
 * A mailbox while it is filled in: by the wizard from nothing, by its page from what is stored.
 * Passwords are never kept anywhere but in memory: what is left and continued later asks for them again.
 */
import type { Candidate, Mailbox, NewMailbox, ServerFolder } from '../../api/client';

export type Tls = NewMailbox['tls'];
export type Protocol = 'imap' | 'pop3' | 'smtp';
export type AfterFiling = Mailbox['folders'][number]['after_filing'];
export type FolderWish = { name: string; read: boolean; after_filing: AfterFiling; processed_folder: string };
export type Server = { host: string; port: number; tls: Tls; username: string };
export type Values = {
  kind: Mailbox['kind']; address: string; name: string; owner_id?: number; keeper_id?: number;
  /** Entered by an administrator without a password: it waits for its owner. */
  later: boolean;
  protocol: 'imap' | 'pop3'; mode: Mailbox['mode']; server: Server; password: string; grant_id?: number;
  /** A server elsewhere may get the password without encryption: only by this explicit choice. */
  allow_plain: boolean;
  folders: FolderWish[]; delete_on_server: boolean; delete_after_days: number | null;
  sends: boolean; outgoing: Server; outgoing_password: string;
  shared: boolean; process: string; teams: string[]; create_cases: boolean; is_default: boolean; authserv_id: string;
};

export const PORTS: Record<Protocol, Record<Tls, number>> = { imap: { implicit: 993, starttls: 143, none: 143 }, pop3: { implicit: 995, starttls: 110, none: 110 }, smtp: { implicit: 465, starttls: 587, none: 25 } };
const PROCESSED = 'Processed';
export const wish = (name: string, read = false): FolderWish => ({ name, read, after_filing: 'move', processed_folder: PROCESSED });
const emptyServer = (protocol: Protocol): Server => ({ host: '', port: PORTS[protocol].implicit, tls: 'implicit', username: '' });

export const blank = (): Values => ({
  kind: 'group', address: '', name: '', later: false, protocol: 'imap', mode: 'file', server: emptyServer('imap'), password: '', allow_plain: false, folders: [wish('INBOX', true)],
  delete_on_server: false, delete_after_days: null, sends: false, outgoing: emptyServer('smtp'), outgoing_password: '', shared: false, process: '', teams: [], create_cases: true, is_default: false, authserv_id: '',
});

export const valuesOf = (m: Mailbox): Values => ({
  ...blank(), kind: m.kind, address: m.address, name: m.name === m.address ? '' : m.name, owner_id: m.owner?.id, keeper_id: m.keeper?.id, protocol: m.protocol, mode: m.mode,
  server: { host: m.host, port: m.port, tls: m.tls, username: m.username }, grant_id: undefined, allow_plain: m.allow_plain,
  folders: m.folders.map((f) => ({ name: f.name, read: f.read, after_filing: f.after_filing, processed_folder: f.processed_folder ?? PROCESSED })),
  delete_on_server: m.delete_on_server, delete_after_days: m.delete_after_days ?? null,
  sends: !!m.outgoing, ...(m.outgoing && { outgoing: { host: m.outgoing.host, port: m.outgoing.port, tls: m.outgoing.tls, username: m.outgoing.username } }),
  shared: m.shared, process: m.process?.name ?? '', teams: m.teams.map((x) => x.name), create_cases: m.create_cases, is_default: m.is_default, authserv_id: m.authserv_id,
});

/** A change of the protection takes the port along as long as it was the usual one. */
export function setTls(server: Server, protocol: Protocol, tls: Tls) {
  if (Number(server.port) === PORTS[protocol][server.tls]) server.port = PORTS[protocol][tls];
  server.tls = tls;
}
export function setProtocol(v: Values, protocol: 'imap' | 'pop3') {
  if (Number(v.server.port) === PORTS[v.protocol][v.server.tls]) v.server.port = PORTS[protocol][v.server.tls];
  v.protocol = protocol;
  if (protocol === 'pop3') v.mode = 'file';
}

/** Takes over what was guessed: the servers, not what the person has chosen besides. */
export function take(v: Values, c: Candidate, protocol: 'imap' | 'pop3' = c.imap ? 'imap' : 'pop3') {
  const server = c[protocol];
  if (server) { v.protocol = protocol; v.server = { ...server }; }
  if (c.smtp) v.outgoing = { ...c.smtp };
}

/** What the server has is offered beside what was chosen; what was chosen stays chosen. */
export function offer(v: Values, found: readonly ServerFolder[]) {
  const like = v.folders.find((f) => f.read)?.processed_folder || PROCESSED;
  for (const f of found) if (!v.folders.some((x) => x.name === f.name)) v.folders.push({ ...wish(f.name), processed_folder: like });
}

const plain = (s: Server, address: string): Server => ({ host: s.host.trim(), port: Number(s.port), tls: s.tls, username: s.username.trim() || address });
export const serverBody = (v: Values) => ({ protocol: v.protocol, ...plain(v.server, v.address.trim()), allow_plain: v.allow_plain, ...(v.grant_id !== undefined ? { grant_id: v.grant_id } : v.password && { password: v.password }) });
export const foldersBody = (v: Values) => ({
  mode: v.mode, delete_on_server: v.delete_on_server, delete_after_days: v.protocol === 'pop3' && v.delete_on_server ? v.delete_after_days : null,
  folders: v.protocol === 'pop3' || v.mode === 'synchronise' ? [] : v.folders.filter((f) => f.read && f.name.trim()).map((f) => ({ name: f.name.trim(), after_filing: f.after_filing, ...(f.after_filing === 'move' && f.processed_folder.trim() && { processed_folder: f.processed_folder.trim() }) })),
});
export const outgoingBody = (v: Values) => ({
  outgoing: v.sends ? { ...plain(v.outgoing, ''), ...(v.outgoing_password && { password: v.outgoing_password }) } : null,
});
/** What a test mail needs: the outgoing server, and the sign-in it falls back to. */
export const sendingBody = (v: Values) => ({
  address: v.address.trim(), username: v.server.username.trim() || v.address.trim(), ...(v.grant_id !== undefined ? { grant_id: v.grant_id } : v.password && { password: v.password }),
  outgoing: { ...plain(v.outgoing, ''), ...(v.outgoing_password && { password: v.outgoing_password }) },
});
export const workBody = (v: Values) => ({
  process: v.kind === 'group' ? v.process.trim() || null : null, teams: v.kind === 'group' ? v.teams : [], create_cases: v.kind === 'group' && v.create_cases,
  shared: v.kind === 'group' && v.sends && v.shared, keeper_id: v.keeper_id ?? null, ...(v.kind === 'personal' && { is_default: v.is_default }),
});
export const nameBody = (v: Values) => ({ address: v.address.trim(), name: v.name.trim() || v.address.trim() });
export const newBody = (v: Values, active = false): NewMailbox => ({
  kind: v.kind, ...nameBody(v), ...serverBody(v), ...foldersBody(v), ...outgoingBody(v), ...workBody(v),
  ...(v.kind === 'personal' && v.owner_id !== undefined && { owner_id: v.owner_id }), active,
});

/** Whether a password would travel to another machine in the clear. */
export const inTheClear = (server: Server) => server.tls === 'none' && !!server.host.trim() && !/^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(server.host.trim());

/** What a successful test was about: anything else has to be tested anew. */
export const serverKey = (v: Values) => JSON.stringify(serverBody(v));

const KEPT = 'new-mailbox';
export type Kept = { values: Values; step: number; reached: number; candidates: Candidate[]; found: ServerFolder[]; notes: string[] };
/** Kept in this tab only, and without passwords. */
export const keep = (k: Kept) => sessionStorage.setItem(KEPT, JSON.stringify({ ...k, values: { ...k.values, password: '', outgoing_password: '' } }));
export const forget = () => sessionStorage.removeItem(KEPT);
export function kept(): Kept | undefined {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEPT) ?? '') as Kept;
    return { ...found, values: { ...blank(), ...found.values } };
  } catch { return undefined; } // nothing there, or from another version
}
