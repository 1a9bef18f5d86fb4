/** The texts about why a thread is linked, suggestions, unverified messages. */
export default {
} as const;
