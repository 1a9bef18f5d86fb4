/** The inbox's views in the order of the sidebar, and the addresses of records. */
import type { RecordKind } from '../api/client';
import { router } from '../router';

export const VIEWS = ['mine', 'unassigned', 'open', 'waiting', 'snoozed', 'overdue', 'closed', 'unlinked', 'all'] as const;
export type View = (typeof VIEWS)[number];
export const KINDS = ['account', 'contact', 'lead', 'opportunity', 'case'] as const satisfies RecordKind[];
/** Kinds a person may create by hand as a record; a case is created from a thread. */
export const NEW_KINDS = ['account', 'contact', 'lead', 'opportunity'] as const satisfies RecordKind[];

/** A case's number as people say it. */
export const caseNo = (number: string) => `#${number}`;

export const recordHref = (r: { id: number; kind: RecordKind }) =>
  r.kind === 'case' ? router.href('/cases/:id', { id: String(r.id) }) : router.href('/records/:kind/:id', { kind: r.kind, id: String(r.id) });
