/** Calls about being told, handing over and streams, so that the first page does not carry them. */
import { byId, client, value, type Schemas } from '../api/client';

export type Setting = Schemas['NotificationSetting'];
export type Only = 'mail' | 'notes' | 'changes';
/** To whom a thread is handed; neither: to nobody. */
export type To = { user?: number; team?: number };

export const calls = {
  settings: () => value(client.GET('/api/v1/me/notifications')),
  setSettings: (body: Setting[]) => value(client.PUT('/api/v1/me/notifications', { body })),
  hand: (id: number, to: To) => value(client.POST('/api/v1/threads/{id}/hand', { ...byId(id), body: to })),
  file: (id: number, process: number | null) => value(client.PATCH('/api/v1/threads/{id}', { ...byId(id), body: { process } })),
  stream: (id: number, only: Only | undefined, before?: number) => value(client.GET('/api/v1/records/{id}/stream', { params: { path: { id }, query: { before, only, limit: 50 } } })),
};
