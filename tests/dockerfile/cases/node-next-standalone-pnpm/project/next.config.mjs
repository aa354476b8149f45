// output: 'export'
export default {
  output: "standalone",
};
