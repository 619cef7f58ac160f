// A process of Node.js with an HTTP server and nothing else: what no daemon can be smaller than.

import { createServer } from "node:http";

createServer((_, response) => void response.end("{}")).listen(0, "127.0.0.1", () => console.log("{}"));
