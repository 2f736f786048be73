export default {
  nav: "Models",
};
