/** Calls about rules and labels, so that the first page does not carry them. */
import { byId, client, value, type NewRule, type Schemas } from '../../api/client';

export const calls = {
  rules: () => value(client.GET('/api/v1/rules')),
  rule: (id: number) => value(client.GET('/api/v1/rules/{id}', byId(id))),
  ruleFields: () => value(client.GET('/api/v1/rules/fields')),
  newRule: (body: NewRule) => value(client.POST('/api/v1/rules', { body })),
  changeRule: (id: number, body: Pick<Schemas['RulePatch'], 'version'> & { [key: string]: unknown }) => value(client.PATCH('/api/v1/rules/{id}', { ...byId(id), body: body as Schemas['RulePatch'] })),
  dropRule: (id: number) => value(client.DELETE('/api/v1/rules/{id}', byId(id))),
  orderRules: (ids: number[]) => value(client.PUT('/api/v1/rules/order', { body: { ids } })),
  tryRule: (body: Schemas['TryRule']) => value(client.POST('/api/v1/rules/try', { body })),
  tryForm: (message: number, mapping: { [key: string]: unknown }) => value(client.POST('/api/v1/rules/form/try', { body: { message, mapping: mapping as Schemas['FormPlaces'] } })),
  trace: (message: number) => value(client.GET('/api/v1/messages/{id}/trace', byId(message))),
  webhooks: () => value(client.GET('/api/v1/webhooks')),
  newWebhook: (url: string) => value(client.POST('/api/v1/webhooks', { body: { url } })),
  labels: () => value(client.GET('/api/v1/labels')),
  newLabel: (body: Schemas['NewLabel']) => value(client.POST('/api/v1/labels', { body })),
  changeLabel: (id: number, body: Schemas['LabelPatch']) => value(client.PATCH('/api/v1/labels/{id}', { ...byId(id), body })),
  dropLabel: (id: number) => value(client.DELETE('/api/v1/labels/{id}', byId(id))),
  putLabel: (thread: number, label: number, on: boolean) => { const at = { params: { path: { id: thread, label } } }; return value(on ? client.PUT('/api/v1/threads/{id}/labels/{label}', at) : client.DELETE('/api/v1/threads/{id}/labels/{label}', at)); },
};
