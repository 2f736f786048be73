import { mount } from "svelte";

import "./app.css";
import App from "./App.svelte";
import { i18n, languageOf } from "./i18n/index.svelte";
import { preferences } from "./state/preferences.svelte";

async function start(): Promise<void> {
  const target = document.getElementById("app");
  if (!target) throw new Error("index.html has no #app");
  await i18n.use(languageOf(preferences.language));
  mount(App, { target });
}

void start();
