/** Why something did not work, in the user's language: by its code; the server's own English words where we have no sentence. */
import { sentence } from './i18n.svelte';

type Trouble = { code: string; params: { [key: string]: string }; message: string; remedy?: string | null };

export const troubleText = (e: Trouble): string => sentence('code', e.code, e.params) ?? e.message;
export const remedyText = (e: Trouble): string => sentence('remedy', e.code, e.params) ?? e.remedy ?? '';
