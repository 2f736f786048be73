/** The pages of the application. A page's code is fetched when it is opened. */
import { Router, type Route } from "./router.svelte";

export const routes: readonly Route[] = [
  {
    path: "/jobs/:job?",
    load: () => import("./pages/jobs/JobsPage.svelte"),
    nav: { label: "jobs.nav", icon: "jobs" },
  },
];

export const router = new Router(routes);
