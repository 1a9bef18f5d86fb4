/** Calls that only the pages of records make, so that the first page does not carry them. */
import { byId, client, value, type Q, type RecordKind, type Schemas } from '../../api/client';

export type ImportState = Schemas['ImportState'];
export type ImportPlan = Schemas['ImportPlan'];
export type ImportRow = Schemas['ImportRow'];
export type Duplicate = Schemas['DuplicatePair'];

export const calls = {
  stages: (query: Q<'/api/v1/opportunities/stages'>) => value(client.GET('/api/v1/opportunities/stages', { params: { query } })),
  duplicates: (kind: RecordKind, of?: number) => value(client.GET('/api/v1/records/duplicates', { params: { query: { kind, of } } })),
  merge: (body: Schemas['MergeRequest']) => value(client.POST('/api/v1/records/merge', { body })),
  convert: (id: number, body: Schemas['ConversionRequest']) => value(client.POST('/api/v1/leads/{id}/convert', { ...byId(id), body })),
  imports: () => value(client.GET('/api/v1/records/imports')),
  upload: (kind: RecordKind, file: File) =>
    value(client.POST('/api/v1/records/imports', { params: { query: { kind, name: file.name } }, body: file as never, bodySerializer: (body) => body as never, headers: { 'Content-Type': 'application/octet-stream' } })),
  imported: (id: number) => value(client.GET('/api/v1/records/imports/{id}', byId(id))),
  removeImport: (id: number) => value(client.DELETE('/api/v1/records/imports/{id}', byId(id))),
  preview: (id: number, plan: ImportPlan | null) => value(client.POST('/api/v1/records/imports/{id}/preview', { ...byId(id), body: { plan } })),
  goOn: (id: number) => value(client.POST('/api/v1/records/imports/{id}/continue', byId(id))),
  refused: (id: number) => value(client.GET('/api/v1/records/imports/{id}/refused', byId(id))),
};

export const STAGES = ['new', 'qualified', 'proposal', 'negotiation', 'won', 'lost'] as const;
/** What a person may say of a lead; `converted` says the server. */
export const LEAD_STATUSES = ['new', 'contacted', 'lost'] as const;
/** The words of a kind's stages, and the group their texts are in. */
export const stagesOf = (kind: RecordKind): readonly string[] => (kind === 'opportunity' ? STAGES : kind === 'lead' ? [...LEAD_STATUSES.slice(0, 2), 'converted', 'lost'] : []);
export const stageGroup = (kind: RecordKind) => (kind === 'lead' ? 'lead' : 'deal');
