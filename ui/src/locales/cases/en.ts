/** The texts about cases: snooze, merge, split, distribution, availability. */
export default {
} as const;
