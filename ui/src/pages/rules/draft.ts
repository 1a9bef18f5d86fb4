/** A rule while it is written: where it stands, and what of it the server is told. */
import { Problem, type NewRule, type Rule, type RuleAction, type RuleCondition } from '../../api/client';
import { t } from '../../lib/i18n.svelte';
import { isBare } from './sentence';

/** The list a rule stands in, as one word: `mailbox-3` rules of a mailbox, `own-3` one's filters of it, `mine`, `global`. */
export type Place = string;
export const placeOf = (r: Pick<Rule, 'kind' | 'mailbox' | 'user'>): Place =>
  r.kind === 'rule' ? `mailbox-${r.mailbox}` : r.mailbox != null ? `own-${r.mailbox}` : r.user != null ? 'mine' : 'global';
export const isFilter = (place: Place) => !place.startsWith('mailbox-');
export const mailboxOf = (place: Place): number | undefined => { const n = Number(/-(\d+)$/.exec(place)?.[1]); return n || undefined; };

export type Draft = { place: Place; folder: number | null; name: string; matching: 'all' | 'any'; conditions: RuleCondition[]; actions: RuleAction[] };

export const FILTER_ACTIONS = ['skip', 'move', 'stop'] as const;
export const RULE_ACTIONS = ['create_case', 'update_case', 'assign', 'label', 'link_contact', 'link_account', 'create_contact', 'create_lead', 'mark_read', 'reply', 'webhook', 'move', 'skip', 'stop'] as const;

/** A new action, with what it most often wants. */
export function blank(word: RuleAction['do']): RuleAction {
  switch (word) {
    case 'update_case': return { do: word, priority: 'high' };
    case 'link_contact': case 'link_account': return { do: word, by: 'from' };
    case 'create_contact': case 'create_lead': return { do: word, mapping: { name: [''], address: '', account: '', fields: [] } };
    case 'assign': return { do: word, assignment: { to: 'team', by: 'round_robin' } };
    case 'move': return { do: word, folder: '' };
    default: return { do: word };
  }
}
export const empty = (place: Place): Draft => ({ place, folder: null, name: '', matching: 'all', conditions: [{ field: 'from', test: 'contains', value: '' }], actions: [blank(isFilter(place) ? 'skip' : 'create_case')] });
export const draftOf = (r: Rule): Draft => structuredClone({ place: placeOf(r), folder: r.folder ?? null, name: r.name, matching: r.matching, conditions: r.conditions as RuleCondition[], actions: r.actions as RuleAction[] });

const condition = ({ field, header, test, value }: RuleCondition): RuleCondition => ({ field, test, ...(field === 'header' && { header: header ?? '' }), ...(!isBare(test) && { value: value ?? '' }) });
function action(a: RuleAction): RuleAction {
  if (!a.mapping) return a;
  const { name, address, account, fields } = a.mapping;
  const said = (text: string) => text.trim() !== '';
  return { ...a, mapping: { name: (name ?? []).filter(said), address, account: account ?? '', fields: (fields ?? []).filter(([to, from]) => said(to ?? '') && said(from ?? '')) } };
}
/** The parts of a rule that can be changed later. */
export const partsOf = ({ folder, name, matching, conditions, actions }: Draft) => ({ name, folder, matching, conditions: conditions.map(condition), actions: actions.map(action) });
export function newRule(d: Draft, enabled: boolean): NewRule {
  const where = d.place === 'mine' || d.place === 'global' ? { scope: d.place } as const : { mailbox: mailboxOf(d.place) };
  return { kind: isFilter(d.place) ? 'filter' : 'rule', ...where, enabled, ...partsOf(d) } as NewRule;
}

/** What is wrong, by field; of conditions and actions by their place in the list, counted from 0. */
export type Wrong = { fields: Record<string, string>; conditions: Record<number, string>; actions: Record<number, string> };
export const nothingWrong = (): Wrong => ({ fields: {}, conditions: {}, actions: {} });
export function wrongOf(e: unknown): Wrong {
  const wrong = nothingWrong();
  if (!(e instanceof Problem)) return wrong;
  for (const [field, text] of Object.entries(e.fields)) {
    const at = Number(e.wrong[field]?.params.number) - 1;
    if ((field === 'conditions' || field === 'actions') && at >= 0) wrong[field][at] = text;
    else wrong.fields[field] = text;
  }
  return wrong;
}
/** What the server would not even read: a choice that was not made. */
export function unchosen(d: Draft): Wrong {
  const wrong = nothingWrong();
  if (!d.name.trim()) wrong.fields.name = t('rule.nameNeeded');
  if (!d.actions.length) wrong.fields.actions = t('rule.actionNeeded');
  d.actions.forEach((a, i) => {
    const missing = (a.do === 'label' && a.label == null) || (a.do === 'reply' && a.template == null) || (a.do === 'webhook' && !a.url) || (a.do === 'assign' && (a.assignment?.to === 'user' ? a.assignment.user : a.assignment?.team) == null);
    if (missing) wrong.actions[i] = t('rule.choose');
  });
  return wrong;
}
export const isWrong = (w: Wrong) => [w.fields, w.conditions, w.actions].some((part) => Object.keys(part).length > 0);
