/** Calls about answers, so that the first page does not carry them. */
import { byId, client, value, type Schemas } from '../../api/client';

export type Deliveries = Schemas['Deliveries'];
export type Delivery = Schemas['Delivery'];
export type DeliveryRecipient = Schemas['DeliveryRecipient'];
export type OutboxMessage = Schemas['OutboxMessage'];
export type Template = Schemas['Template'];
export type TemplateText = Schemas['TemplateText'];

export const calls = {
  proposal: (id: number) => value(client.GET('/api/v1/threads/{id}/reply', byId(id))),
  send: (id: number, body: Schemas['NewReply']) => value(client.POST('/api/v1/threads/{id}/reply', { ...byId(id), body })),
  deliveries: (id: number) => value(client.GET('/api/v1/threads/{id}/deliveries', byId(id))),
  retryDelivery: (id: number, outbox: number) => value(client.POST('/api/v1/threads/{id}/deliveries/{outbox}/retry', { params: { path: { id, outbox } } })),
  templates: () => value(client.GET('/api/v1/templates')),
  createTemplate: (body: Schemas['NewTemplate']) => value(client.POST('/api/v1/templates', { body })),
  changeTemplate: (id: number, body: Schemas['TemplatePatch']) => value(client.PATCH('/api/v1/templates/{id}', { ...byId(id), body })),
  removeTemplate: (id: number) => value(client.DELETE('/api/v1/templates/{id}', byId(id))),
  preview: (id: number, body: Schemas['TemplateLook']) => value(client.POST('/api/v1/templates/{id}/preview', { ...byId(id), body })),
  autoReplies: () => value(client.GET('/api/v1/auto-replies')),
  setAutoReply: (mailbox: number, template_id: number | null) => value(client.PUT('/api/v1/auto-replies/{mailbox}', { params: { path: { mailbox } }, body: { template_id } })),
  outbox: () => value(client.GET('/api/v1/outbox')),
  retryOutbox: (id: number) => value(client.POST('/api/v1/outbox/{id}/retry', byId(id))),
};

/** Asks for the thread it is named for, also when it is asked again while another page is being opened. */
export const deliveriesQuery = (thread: number) => ({ queryKey: ['thread', thread, 'deliveries'], queryFn: () => calls.deliveries(thread) });

/** `Ann <ann@firm.example>, ben@firm.example` as people; what is no address the server names. */
export const people = (text: string) =>
  text.split(/[,;\n]/).map((one) => one.trim()).filter(Boolean).map((one) => {
    const named = /^(.*)<([^<>]*)>$/.exec(one);
    return named ? { name: named[1]!.trim().replace(/^"|"$/g, ''), address: named[2]!.trim() } : { name: '', address: one };
  });
/** The other way round; a name that would be taken apart is left out. */
export const written = (list: readonly { name: string; address: string }[]) =>
  list.map((one) => (one.name && !/[,;<>"]/.test(one.name) ? `${one.name} <${one.address}>` : one.address)).join(', ');
