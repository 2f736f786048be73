import type en from "../en/settings";

export default {
  nav: "设置",
} satisfies Record<keyof typeof en, string>;
