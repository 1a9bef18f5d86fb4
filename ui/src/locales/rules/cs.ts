import type { AreaCatalog } from '../../lib/i18n.svelte';

export default {
} satisfies AreaCatalog<'rules'>;
