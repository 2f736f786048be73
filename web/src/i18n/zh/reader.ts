import type en from "../en/reader";

export default {
  title: "阅读",
} satisfies Record<keyof typeof en, string>;
