export default {
  nav: "Rules",
};
