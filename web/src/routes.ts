/** The pages of the application. A page's code is fetched when it is opened. */
import { Router, type Route } from "./router.svelte";

export const routes: readonly Route[] = [
  { path: "/", load: () => import("./pages/shelf/ShelfPage.svelte"), nav: { label: "shelf.nav", icon: "shelf" } },
  { path: "/read/:book/:page?", load: () => import("./pages/ReaderPage.svelte"), bare: true },
  { path: "/rules", load: () => import("./pages/rules/RulesPage.svelte"), nav: { label: "rules.nav", icon: "rules" } },
  {
    path: "/jobs/:job?",
    load: () => import("./pages/jobs/JobsPage.svelte"),
    nav: { label: "jobs.nav", icon: "jobs" },
  },
  {
    path: "/models",
    load: () => import("./pages/models/ModelsPage.svelte"),
    nav: { label: "models.nav", icon: "models" },
  },
  {
    path: "/settings",
    load: () => import("./pages/settings/SettingsPage.svelte"),
    nav: { label: "settings.nav", icon: "settings" },
  },
];

export const router = new Router(routes);
