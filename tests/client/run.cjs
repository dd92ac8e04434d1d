// Tells the story to the app that the JSON on standard input names. Prints every call with how it was answered, and
// what is wrong with the shape of that: the client itself takes what is not declared, and any shape at all where the
// document has a status without one (202).
"use strict";

const { isDeepStrictEqual } = require("node:util");
const { told } = require("./built/story.js");
const shapes = require("./built/generated/zod.gen.js");

function wrong(document, { operation, status, body }) {
  const all = Object.values(document.paths).flatMap((path) => Object.values(path));
  const answer = all.find((each) => each.operationId === operation)?.responses[status];
  if (answer === undefined) return `${status} is not in the document`;
  if (answer.schema === undefined) return "";
  const parsed = shapes[`z${answer.schema.$ref.split("/").at(-1)}`].safeParse(body);
  if (!parsed.success) return parsed.error.message;
  if (operation === "GetSwagger") return ""; // what a document of Swagger has in it is declared elsewhere
  return isDeepStrictEqual(parsed.data, body) ? "" : "there is something in it that the document does not declare";
}

const chunks = [];
process.stdin.on("data", (chunk) => chunks.push(chunk));
process.stdin.on("end", async () => {
  const { document, world } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  const calls = await told(world);
  process.stdout.write(JSON.stringify(calls.map((call) => ({ ...call, wrong: wrong(document, call) }))));
});
