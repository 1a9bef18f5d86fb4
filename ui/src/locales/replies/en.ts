/** The texts about answers: composer, templates, automatic replies, outbox. */
export default {
} as const;
