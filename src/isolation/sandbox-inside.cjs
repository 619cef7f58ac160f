/**
 * Run inside a sandbox, before its command: listens on ports of the sandbox's own loopback, hands the listening sockets to
 * the program outside, and ends. So what is inside reaches out by sockets that only the other side answers.
 * Arguments: the ports. JavaScript as it is and CommonJS, since the command waits for it: 35 ms, with types 130.
 */
const { createServer } = require("node:net");

// It has them all; what is left here are copies.
process.once("message", () => process.exit(0));
process.once("disconnect", () => process.exit(1));
for (const port of process.argv.slice(2).map(Number)) {
  const server = createServer();
  server.listen(port, "127.0.0.1", () => process.send?.({ port }, server));
}
