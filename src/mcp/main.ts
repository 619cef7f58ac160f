/**
 * The MCP server of a run's agent: `node main.ts PLACE`. The file says where the daemon is, and has the token of the run, which
 * neither an environment nor a command line shows.
 */
import { readFileSync } from "node:fs";
import { RunPlace } from "../contract/run-tools.ts";
import { runToolsAt } from "./run-tools.ts";
import { serveTools } from "./serve.ts";

const place = RunPlace.parse(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")));
await serveTools(runToolsAt(place), "1");
