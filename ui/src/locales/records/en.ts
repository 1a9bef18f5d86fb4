/** The texts about the pages of records: forms, import, merging, the board. */
export default {
} as const;
