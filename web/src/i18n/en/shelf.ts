export default {
  nav: "Shelf",
};
