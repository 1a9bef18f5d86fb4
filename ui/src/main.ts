import './styles/fonts.css';
import './styles/app.css';
import { mount } from 'svelte';
import { api } from './api/client';
import App from './App.svelte';
import { bestLocale, setLocale } from './lib/i18n.svelte';
import { session } from './lib/session.svelte';

let trouble: unknown;
try {
  const now = await api.session();
  session.csrf = now.csrf_token;
  session.setupRequired = now.setup_required;
  session.version = now.version;
  if (now.user) await session.show(now.user);
} catch (e) {
  trouble = e;
}
if (!session.user) await setLocale(bestLocale(navigator.languages));
mount(App, { target: document.getElementById('app')!, props: { trouble } });
