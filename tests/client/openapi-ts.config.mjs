// What the generator makes: functions, types, and checks of every request and answer against the document.
// Input and output come from the command line.
export default {
  plugins: ["@hey-api/client-fetch", "@hey-api/typescript", "zod", { name: "@hey-api/sdk", validator: true }],
};
