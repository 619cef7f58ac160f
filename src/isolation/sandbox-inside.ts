/**
 * Run inside a sandbox, before its command: listens on ports of the sandbox's own loopback, hands the listening sockets to
 * the program outside, and ends. So what is inside reaches out by sockets that only the other side answers.
 * Arguments: the ports.
 */
import { createServer, type Server } from "node:net";

// It has them all; what is left here are copies.
process.once("message", () => process.exit(0));
process.once("disconnect", () => process.exit(1));
const ports = process.argv.slice(2).map(Number);
for (const port of ports) process.send?.({ port }, await listen(port));

function listen(port: number): Promise<Server> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
