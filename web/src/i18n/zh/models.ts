import type en from "../en/models";

export default {
  nav: "模型",
} satisfies Record<keyof typeof en, string>;
