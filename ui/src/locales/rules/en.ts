/** The texts about rules, filters, labels, dry runs, traces. */
export default {
} as const;
