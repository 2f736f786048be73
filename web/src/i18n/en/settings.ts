export default {
  nav: "Settings",
};
