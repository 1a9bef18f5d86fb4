import { beforeEach, expect, test } from 'vitest';
import { blank, foldersBody, inTheClear, keep, kept, newBody, offer, serverKey, setProtocol, setTls, take, wish } from './form.svelte';

beforeEach(() => sessionStorage.clear());
const guess = { source: 'provider', name: 'Acme', imap: { host: 'imap.acme.example', port: 993, tls: 'implicit', username: 'ann' }, pop3: { host: 'pop.acme.example', port: 995, tls: 'implicit', username: 'ann' }, smtp: { host: 'smtp.acme.example', port: 465, tls: 'implicit', username: 'ann' }, provider_id: null, note: null } as unknown as Parameters<typeof take>[1];

test('A3: passwords are never kept while the wizard is left', () => {
  const values = { ...blank(), address: 'ann@acme.example', password: 'secret', outgoing_password: 'secret too' };
  keep({ values, step: 1, reached: 2, candidates: [], found: [], notes: [] });
  expect(sessionStorage.getItem('new-mailbox')).not.toContain('secret');
  expect(kept()?.values.address).toBe('ann@acme.example');
});
test('what another version has kept is completed, what cannot be read is forgotten', () => {
  sessionStorage.setItem('new-mailbox', JSON.stringify({ values: { address: 'ann@acme.example' }, reached: 1 }));
  expect(kept()?.values.folders).toEqual(blank().folders);
  sessionStorage.setItem('new-mailbox', '{');
  expect(kept()).toBeUndefined();
});
test('A13: a new mailbox is off unless it is asked to be on', () => {
  expect([newBody(blank()).active, newBody(blank(), true).active]).toEqual([false, true]);
});
test('A20: a guess fills in both servers and leaves what was chosen besides', () => {
  const v = { ...blank(), process: 'Sales' };
  take(v, guess);
  expect([v.protocol, v.server.host, v.outgoing.host, v.sends, v.process]).toEqual(['imap', 'imap.acme.example', 'smtp.acme.example', false, 'Sales']);
  take(v, guess, 'pop3');
  expect([v.protocol, v.server.host]).toEqual(['pop3', 'pop.acme.example']);
});
test('the usual port follows protection and protocol, one of its own stays', () => {
  const v = blank();
  setTls(v.server, 'imap', 'starttls');
  expect(v.server.port).toBe(143);
  setProtocol(v, 'pop3');
  expect(v.server.port).toBe(110);
  v.server.port = 2110;
  setTls(v.server, 'pop3', 'implicit');
  expect(v.server.port).toBe(2110);
});
test('A10: the folders of the server are offered beside the chosen ones, INBOX is preset', () => {
  const v = blank();
  offer(v, [{ name: 'INBOX', special_use: null, messages: 5 }, { name: 'Orders', special_use: null, messages: 1 }]);
  expect(v.folders.map((f) => [f.name, f.read])).toEqual([['INBOX', true], ['Orders', false]]);
});
test('A11: only folders that are read are sent, each with what follows filing', () => {
  const v = { ...blank(), folders: [wish('INBOX', true), wish('Orders'), { ...wish('Press', true), after_filing: 'leave' as const }] };
  expect(foldersBody(v).folders).toEqual([{ name: 'INBOX', after_filing: 'move', processed_folder: 'Processed' }, { name: 'Press', after_filing: 'leave' }]);
});
test('A12: nothing is deleted on a POP3 server unless that was chosen', () => {
  const v = { ...blank(), protocol: 'pop3' as const, delete_after_days: 14 };
  expect(foldersBody(v)).toMatchObject({ delete_on_server: false, delete_after_days: null, folders: [] });
  expect(foldersBody({ ...v, delete_on_server: true }).delete_after_days).toBe(14);
});
test('A5: a password travels in the clear only to this machine, or by explicit choice', () => {
  const server = (host: string) => inTheClear({ ...blank().server, tls: 'none', host });
  expect([server('127.0.0.1'), server('localhost'), server('imap.acme.example'), inTheClear(blank().server)]).toEqual([false, false, true, false]);
});
test('A9: a test counts for exactly what was tested', () => {
  const v = { ...blank(), address: 'ann@acme.example', password: 'a' };
  const before = serverKey(v);
  expect(serverKey({ ...v, process: 'Sales' })).toBe(before);
  expect(serverKey({ ...v, password: 'b' })).not.toBe(before);
});
