import type en from "../en/rules";

export default {
  nav: "规则",
} satisfies Record<keyof typeof en, string>;
