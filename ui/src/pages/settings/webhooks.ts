/** Calls about webhooks, so that no other page carries them. */
import { byId, client, value, type Schemas } from '../../api/client';

export type Webhook = Schemas['Webhook'];
export type WebhookDelivery = Schemas['WebhookDelivery'];

export const calls = {
  webhooks: () => value(client.GET('/api/v1/webhooks')),
  create: (url: string) => value(client.POST('/api/v1/webhooks', { body: { url } })),
  change: (id: number, enabled: boolean) => value(client.PATCH('/api/v1/webhooks/{id}', { ...byId(id), body: { enabled } })),
  test: (id: number) => value(client.POST('/api/v1/webhooks/{id}/test', byId(id))),
  remove: (id: number) => value(client.DELETE('/api/v1/webhooks/{id}', byId(id))),
  deliveries: () => value(client.GET('/api/v1/webhook-deliveries', { params: { query: { limit: 50 } } })),
  retry: (id: number) => value(client.POST('/api/v1/webhook-deliveries/{id}/retry', byId(id))),
};
