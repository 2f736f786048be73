import type en from "../en/shelf";

export default {
  nav: "书架",
} satisfies Record<keyof typeof en, string>;
