/** The texts about notification settings, mentions, handing over, streams. */
export default {
} as const;
