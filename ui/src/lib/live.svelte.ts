/**
 * Live updates: the server's event stream (SSE), turned into cache keys to refetch.
 * HTTP/1.1 allows six connections per origin, so only one tab holds the stream (Web Locks) and tells the others
 * (BroadcastChannel). Without Web Locks (plain http on a LAN) every tab holds its own.
 */
import type { QueryClient } from '@tanstack/svelte-query';
import { api, type Change } from '../api/client';
import { session } from './session.svelte';

/** Changes are gathered this long, so that a first scan of ten thousand mails refetches twice a second, not per mail. */
const GATHER_MS = 500;
const RETRY_MS = 5_000;

export const live = $state({ lost: false });

/** The cache keys a change makes stale. */
export function staleKeys(c: Change): unknown[][] {
  const thread = c.thread_id ?? (c.kind === 'thread' ? c.entity_id : undefined);
  const of: unknown[][] = thread === undefined || thread === null ? [] : [['thread', thread]];
  switch (c.kind) {
    case 'thread': case 'message': return [...of, ['threads'], ['views'], ['record-threads'], ['stream']];
    case 'case': return [...of, ['case', c.entity_id], ['threads'], ['views'], ['records'], ['record'], ['stream']];
    case 'record': return [...of, ['record', c.entity_id], ['stream', c.entity_id], ['records']];
    case 'mailbox': return [['mailboxes'], ['mailbox', c.entity_id], ['ledger', c.entity_id], ['reconciled', c.entity_id], ['folders', c.entity_id], ['folder', c.entity_id], ['quarantine'], ['rules']];
    case 'notification': return [['notifications']];
    case 'user': return [['users'], ['labels'], ['rules']];
    case 'system': return [['rules']];
  }
  return [];
}

export function listen(client: QueryClient) {
  const channel = new BroadcastChannel('lettercase-events');
  const stop = new AbortController();
  let due = new Map<string, unknown[]>(), timer: ReturnType<typeof setTimeout> | undefined;

  function stale(keys: unknown[][]) {
    for (const key of keys) due.set(JSON.stringify(key), key);
    timer ??= setTimeout(() => {
      const batch = due;
      due = new Map();
      timer = undefined;
      for (const queryKey of batch.values()) client.invalidateQueries({ queryKey });
    }, GATHER_MS);
  }
  channel.onmessage = (e: MessageEvent<unknown[][]>) => stale(e.data);
  const tell = (keys: unknown[][]) => { channel.postMessage(keys); stale(keys); };

  function hold(): Promise<void> {
    let source: EventSource, again: ReturnType<typeof setTimeout>, broken = false;
    const open = () => {
      source = new EventSource('/api/v1/events');
      source.addEventListener('change', (e) => tell(staleKeys(JSON.parse(e.data))));
      source.addEventListener('hello', () => {
        live.lost = false;
        if (broken) tell([[]]); // something may have been missed: everything shown is asked for again
        broken = false;
      });
      source.onerror = () => {
        live.lost = broken = true;
        if (source.readyState === EventSource.CLOSED) again = setTimeout(reopen, RETRY_MS); // refused, not just cut: the browser gave up
      };
    };
    /** A refusal may mean that the session ended: then the sign-in dialog comes first. */
    async function reopen() {
      const now = await api.session().catch(() => undefined);
      if (stop.signal.aborted) return;
      if (!now) { again = setTimeout(reopen, RETRY_MS); return; }
      if (!now.user) await session.signInAgain();
      else await session.enter(now.user, now.csrf_token); // another tab signed in anew, perhaps as somebody else
      if (!stop.signal.aborted) open();
    }
    open();
    return new Promise((done) => stop.signal.addEventListener('abort', () => { clearTimeout(again); source.close(); done(); }));
  }
  if (navigator.locks) navigator.locks.request('lettercase-events', { signal: stop.signal }, hold).catch(() => {});
  else void hold();
  return () => { stop.abort(); channel.close(); clearTimeout(timer); };
}
