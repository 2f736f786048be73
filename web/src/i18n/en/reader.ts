export default {
  title: "Reader",
};
