/** The pages of the application. A page's code is fetched when it is opened. */
import { Router, type Route } from "./router.svelte";

export const routes: readonly Route[] = [];

export const router = new Router(routes);
