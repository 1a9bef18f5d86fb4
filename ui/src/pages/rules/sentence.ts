/** Rules in words: what they ask, what they do, what came of it. Names stand after a colon and are never declined. */
import type { Rule, RuleAction, RuleCondition } from '../../api/client';
import { languageName, list, size, t, word, type Locale } from '../../lib/i18n.svelte';
import type { Names } from './names.svelte';

/** Conditions whose value is one of a few words. */
export const CHOICES: Partial<Record<RuleCondition['field'], readonly string[]>> = {
  auth: ['pass', 'fail', 'none'],
  nature: ['person', 'auto_reply', 'bounce', 'list', 'invitation', 'report'],
  language: ['cs', 'sk', 'pl', 'de', 'en'],
};
export const choiceText = (field: string, value: string) => (field === 'language' ? languageName(value as Locale) : word(`rule.${field}`, value));
/** Tests that look at no value. */
export const isBare = (test: string) => test === 'exists' || test === 'missing';

export function conditionText(c: RuleCondition): string {
  const what = `${c.field === 'header' && c.header ? c.header : word('ruleField', c.field)} ${word('ruleTest', c.test)}`;
  if (isBare(c.test)) return what;
  const value = c.value ?? '';
  if (c.field === 'size') return `${what} ${size(Number(value))}`;
  return `${what} ${c.field in CHOICES ? choiceText(c.field, value) : t('rule.quoted', { text: value })}`;
}

/** What an action is about, each a word or a name. */
function parts(a: RuleAction, names: Names): string[] {
  const of = (kind: keyof Names['all'], id: number | null | undefined) => (id == null ? [] : [names.of(kind, id)]);
  const urgency = [...(a.status ? [word('status', a.status)] : []), ...(a.priority ? [word('priority', a.priority)] : [])];
  switch (a.do) {
    case 'create_case': return [...of('processes', a.process), ...of('teams', a.team), ...urgency];
    case 'update_case': return urgency;
    case 'link_contact': case 'link_account': return [word('ruleSide', a.by ?? 'from')];
    case 'assign': return a.assignment?.to === 'user' ? of('users', a.assignment.user) : [...of('teams', a.assignment?.team), word('ruleBy', a.assignment?.by ?? 'none')];
    case 'label': return of('labels', a.label);
    case 'reply': return of('templates', a.template);
    case 'webhook': return [a.url ?? ''];
    case 'move': return [a.folder ?? ''];
    default: return [];
  }
}
export function actionText(a: RuleAction, names: Names): string {
  const about = parts(a, names).filter(Boolean);
  return about.length ? `${word('ruleAction', a.do)}: ${list(about)}` : word('ruleAction', a.do);
}

type Said = { matching: 'all' | 'any'; conditions: readonly RuleCondition[]; actions: readonly RuleAction[] };
export const whenText = ({ matching, conditions }: Pick<Said, 'matching' | 'conditions'>) =>
  conditions.length ? t('rule.when', { what: conditions.map(conditionText).join(` ${t(matching === 'all' ? 'rule.and' : 'rule.or')} `) }) : t('rule.every');
export const sentenceText = (rule: Said, names: Names) => `${whenText(rule)} → ${rule.actions.map((a) => actionText(a, names)).join('; ')}`;

/** Why a rule was switched off by itself. */
export const missingText = ({ what, name }: NonNullable<Rule['missing']>) => t(`rule.missing.${what}`, { name });

/** What came of an action: nothing to say where it was simply done. */
export function resultText({ result, detail }: { result: string; detail: string }): string {
  const said = result === 'done' ? '' : word('ruleResult', result);
  return [said, detail].filter(Boolean).join(': ');
}
/** An action and what came of it, nothing of it twice. */
export function doneText({ action, result, detail }: { action: RuleAction; result: string; detail: string }, names: Names): string {
  const what = actionText(action, names), isSaid = result === 'done' && what.endsWith(`: ${detail}`);
  return [what, isSaid ? '' : resultText({ result, detail })].filter(Boolean).join(' · ');
}
